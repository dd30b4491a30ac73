//! The plugins that come with the host, as `build.rs` found them in `plugins/dist`.

use super::registry::Bundled;

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// The bundled plugins.
///
/// # Errors
/// One sentence with its remedy when this binary was built without any.
pub fn bundled() -> Result<&'static [Bundled], String> {
    if BUNDLED.is_empty() {
        Err("This binary was built without its plugins. Run `make plugins`, then build it again.".into())
    } else {
        Ok(BUNDLED)
    }
}
