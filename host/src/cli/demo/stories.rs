//! The incidents of the demo: the same that the tests use, in the order of an eventful day.

/// One share of a story.
pub(super) struct Step {
    /// BigPanda's name of what happened.
    pub(super) event: &'static str,
    /// The incident as it is from now on, JSON.
    pub(super) incident: &'static str,
}

/// An incident from its first share on.
pub(super) struct Story {
    pub(super) title: &'static str,
    pub(super) steps: &'static [Step],
}

macro_rules! step {
    ($event:literal, $file:literal) => {
        Step { event: $event, incident: include_str!(concat!("../../../../tests/fixtures/", $file)) }
    };
}

pub(super) const STORIES: &[Story] = &[
    Story {
        title: "Checkout answers with errors",
        steps: &[
            step!("incident#new", "checkout-errors/1-new.rest.json"),
            step!("incident#updated", "checkout-errors/2-updated.rest.json"),
            step!("incident#closed", "checkout-errors/3-closed.rest.json"),
        ],
    },
    Story {
        title: "A database runs out of connections",
        steps: &[
            step!("incident#new", "database-pool/1-new.rest.json"),
            step!("incident#updated", "database-pool/2-updated.rest.json"),
        ],
    },
    Story { title: "Load on the web tier", steps: &[step!("incident#new", "web-tier-load/1-new.rest.json")] },
    Story {
        title: "A certificate, renewed before anybody looked",
        steps: &[step!("incident#closed", "certificate-renewed/1-closed.rest.json")],
    },
    Story {
        title: "A tunnel that comes and goes",
        steps: &[step!("incident#become-flapping", "tunnel-flapping/1-flapping.rest.json")],
    },
    Story { title: "A deployment under suspicion", steps: &[step!("incident#new", "bad-deployment/1-new.rest.json")] },
    Story { title: "Text from all over the world", steps: &[step!("incident#new", "awkward-text/1-new.rest.json")] },
    Story {
        title: "A switch takes three hundred ports along",
        steps: &[step!("incident#new", "switch-outage/1-new.rest.json")],
    },
    Story { title: "A title composed in BigPanda", steps: &[step!("incident#new", "composed-title/1-new.rest.json")] },
    Story { title: "A container that won't stay up", steps: &[step!("incident#new", "crash-loop/1-new.rest.json")] },
    Story { title: "Maintenance, as planned", steps: &[step!("incident#new", "planned-maintenance/1-new.rest.json")] },
    Story { title: "Storage, shared by hand", steps: &[step!("manual", "storage-filling/1-manual.rest.json")] },
    Story {
        title: "A queue that fills, drains and fills again",
        steps: &[
            step!("incident#new", "queue-backlog/1-new.webhook.json"),
            step!("incident#closed", "queue-backlog/2-closed.webhook.json"),
            step!("incident#reopen", "queue-backlog/3-reopened.webhook.json"),
        ],
    },
];
