//! A guest's lines on their way to the operator's log.

use super::loaded::Loaded;
use super::state::Log;
use super::wire::Level;

/// Passes on what an instance has written, and says what was dropped.
pub(super) fn flush(plugin: &Loaded, log: &mut Log) {
    let id = plugin.id.as_str();
    for (level, line) in log.lines.drain(..) {
        match level {
            Level::Debug => tracing::debug!(plugin.id = id, "{line}"),
            Level::Info => tracing::info!(plugin.id = id, "{line}"),
            Level::Warn => tracing::warn!(plugin.id = id, "{line}"),
            Level::Error => tracing::error!(plugin.id = id, "{line}"),
        }
    }
    if log.dropped > 0 {
        tracing::warn!(
            plugin.id = id,
            dropped = log.dropped,
            "the plugin logged more than it may; {} lines were dropped",
            log.dropped
        );
        log.dropped = 0;
    }
}
