//! Partner Center: an nginx that serves usage records from a file, which goes on from generation to
//! generation.

use crate::authority::Authority;
use crate::nginx::Nginx;
use crate::records::{Form, write_generation};

const PATH: &str = "/v1/customers/usagerecords";

/// The server, and what it serves now.
pub(crate) struct Center {
    nginx: Nginx,
    pub(crate) count: u64,
    form: Form,
    generation: u64,
    /// How many customers are over 80 %.
    pub(crate) over: u64,
}

impl Center {
    /// Serves nothing yet; its files lie where the build has its own, on a disk.
    pub(crate) fn start() -> Self {
        let nginx = Nginx::start_in(env!("CARGO_TARGET_TMPDIR").as_ref(), &Authority::new());
        Self { nginx, count: 0, form: Form::Indented, generation: 0, over: 0 }
    }

    /// Serves so many records.
    pub(crate) fn publish(&mut self, count: u64, form: Form) {
        (self.count, self.form, self.generation) = (count, form, 0);
        self.write();
    }

    /// Serves the same records, of which 5 % have changed.
    pub(crate) fn publish_next(&mut self) {
        self.generation += 1;
        self.write();
    }

    fn write(&mut self) {
        let path = self.nginx.serve(PATH);
        self.over = write_generation(&path, self.count, self.form, self.generation).unwrap();
    }

    /// What it answers.
    pub(crate) fn answer(&self) -> Vec<u8> {
        std::fs::read(self.nginx.serve(PATH)).unwrap()
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        self.nginx.url("").trim_end_matches('/').to_owned()
    }

    /// Where it serves the usage records.
    pub(crate) fn records_url(&self) -> String {
        self.nginx.url(PATH)
    }
}
