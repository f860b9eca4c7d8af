//! What axe-core finds on a page that is shown: faults that keep people from reading or using it.

use std::path::Path;
use std::sync::LazyLock;

use super::chromium::Browser;

/// Where `tests/run.sh` puts it.
const FILE: &str = "target/axe-core/package/axe.min.js";

static AXE: LazyLock<String> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
});

/// Asks for faults alone, and says of each what is wrong where.
const FAULTS: &str = "return axe.run(document, { resultTypes: ['violations'] }).then(found => \
    found.violations.flatMap(fault => fault.nodes.map(node => \
        `${fault.impact}: ${fault.help}: ${node.target.join(' ')} ${node.failureSummary}`)))";

/// Each fault, a line.
pub(super) async fn faults(browser: &Browser) -> Vec<String> {
    browser.run(&format!("{}\n{FAULTS}", *AXE)).await
}
