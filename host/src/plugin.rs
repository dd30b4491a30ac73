//! The plugin host: loads components, keeps them in an order, and asks them about events.
//!
//! Knows the domain and its own settings; nothing of either vendor, of the engine or of the store. The shell calls
//! [`Host::transform`]; the operator's commands read [`Host::status`]. Whatever a plugin does, an answer comes: a
//! failing one is stood in for, within its deadline, and the failure is reported with what stood in.

mod breaker;
mod bundled;
mod cache;
mod chain;
mod compile;
mod context;
mod engine;
mod error;
mod fault;
mod generation;
mod hook;
mod host;
mod imports;
mod limits;
mod live;
mod load;
mod loaded;
mod logging;
mod metadata;
mod pack;
mod pool;
mod precheck;
mod registry;
mod sample;
mod schema;
mod settings;
mod state;
mod stats;
mod status;
mod stopwatch;
mod trial;
mod watch;
mod wire;
mod workbench;

pub use bundled::bundled;
pub use chain::Dictionary;
pub use compile::child::precompile;
pub use context::Input;
pub use error::{Error, LoadError};
pub use host::Host;
pub use limits::Limits;
pub use loaded::{Digest, Source};
pub use registry::{Bundled, Reload};
pub use status::{About, PluginState, PluginStatus, Problem, Status};
pub use trial::Trial;
pub use workbench::{Checked, Workbench};
