//! A way to a server that can be cut: what is sent then is neither answered nor refused, as behind
//! a network that broke.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A way.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    is_cut: Arc<AtomicBool>,
}

impl Wire {
    /// To a server.
    pub(crate) fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&is_cut);
        // It ends with the process of the tests.
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(upstream) = TcpStream::connect(&server) else { continue };
                carry(client.try_clone().unwrap(), upstream.try_clone().unwrap(), &cut);
                carry(upstream, client, &cut);
            }
        });
        Self { address, is_cut }
    }

    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
    }

    pub(crate) fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

/// Carries what one end sends to the other, as long as the wire is whole; what comes while it is
/// cut is lost, and the connection with it once the wire is whole again.
fn carry(mut from: TcpStream, mut to: TcpStream, cut: &Arc<AtomicBool>) {
    let cut = Arc::clone(cut);
    std::thread::spawn(move || {
        from.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let (mut buffer, mut lost) = ([0; 16384], false);
        loop {
            let is_cut = cut.load(Ordering::SeqCst);
            match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(_) if is_cut => lost = true,
                Ok(_) if lost => break,
                Ok(read) if to.write_all(&buffer[..read]).is_ok() => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    if lost && !is_cut {
                        break;
                    }
                }
                Ok(_) | Err(_) => break,
            }
        }
        let _ = from.shutdown(std::net::Shutdown::Both);
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
}
