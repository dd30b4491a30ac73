//! Operators' targets as the integrations configure them, and the notifier as the sync wants it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Config, Integration};
use crate::domain::notice::Notice;
use crate::notify::{Chat, Mail, Notifier, Settings, SetupError, Target};
use crate::sync::Notify;

/// Waits before the further tries of one message.
const RETRIES: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(15), Duration::from_mins(2)];

pub(super) fn start(config: &Config, clock: &Arc<dyn Clock>) -> Result<Notifier, SetupError> {
    let mut all = HashMap::new();
    for one in &config.integrations {
        all.insert(one.name.clone(), targets(config, one, clock)?);
    }
    let settings = Settings { interval: config.notify.interval, retries: RETRIES.to_vec(), targets: all };
    Ok(Notifier::start(settings, clock.clone()))
}

/// Where the operators of one integration read.
pub fn targets(config: &Config, of: &Integration, clock: &Arc<dyn Clock>) -> Result<Vec<Target>, SetupError> {
    let mut targets = Vec::new();
    if let Some(url) = &of.notify.webhook_url {
        targets.push(Target::Chat(Chat::new(url, clock.clone())?));
    }
    if let Some(smtp) = config.notify.smtp.as_ref().filter(|_| !of.notify.email_to.is_empty()) {
        targets.push(Target::Mail(Mail::new(smtp, &of.notify.email_to)?));
    }
    Ok(targets)
}

/// The notifier, for the sync.
pub(super) struct Bell {
    notifier: Arc<Notifier>,
}

impl Bell {
    pub(super) fn new(notifier: Arc<Notifier>) -> Self {
        Self { notifier }
    }
}

impl Notify for Bell {
    fn notify(&self, notice: Notice) {
        self.notifier.tell(notice);
    }
}
