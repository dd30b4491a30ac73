//! Lines for the operator's log. Grant `log`. The host caps number and length.

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the plugin's author.
    Debug,
    /// For the curious.
    Info,
    /// Something to look at.
    Warn,
    /// Something is wrong.
    Error,
}

/// Writes a line.
pub fn write(level: Level, message: &str) {
    #[cfg(target_arch = "wasm32")]
    {
        use crate::bindings::log as host;
        let level = match level {
            Level::Debug => host::Level::Debug,
            Level::Info => host::Level::Info,
            Level::Warn => host::Level::Warn,
            Level::Error => host::Level::Error,
        };
        host::write(level, message);
    }
    #[cfg(not(target_arch = "wasm32"))]
    crate::native::LOG.with_borrow_mut(|lines| lines.push((level, message.to_owned())));
}

/// Writes a line for the plugin's author.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Writes a line for the curious.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Writes a line about something to look at.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Writes a line about something wrong.
pub fn error(message: &str) {
    write(Level::Error, message);
}
