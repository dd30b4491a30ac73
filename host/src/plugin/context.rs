//! One event on its way through the chain: what plugins may read of it, packed at first use and shared by all.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::pack;
use super::wire::{Head, Packed};
use crate::domain::event::Occasion;
use crate::domain::patch::{Dispute, Hook, Proposal};
use crate::domain::share::Share;
use crate::domain::time::Timestamp;

/// One event for the chain.
#[derive(Debug, Clone)]
pub struct Input {
    pub occasion: Occasion,
    pub share: Arc<Share>,
    /// The share's body as it came, for plugins that were granted it.
    pub raw: Option<Bytes>,
    /// Fields of the existing ticket as they came, raw; where a field's display value differs, it is under
    /// `dv_<field>`.
    pub ticket: Option<Arc<BTreeMap<String, String>>>,
    /// Settings as plugins see them, a JSON object. An object under `plugins` holds overrides by plugin id.
    pub settings: Arc<str>,
    /// What the `conflict` hook is asked about, one by one.
    pub disputes: Vec<Dispute>,
    /// The hooks to ask, in any order.
    pub hooks: &'static [Hook],
    pub now: Timestamp,
    /// Where the sequence of random numbers starts. Equal for equal events.
    pub seed: u64,
}

/// An input with everything that is derived from it. Lives on one thread.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) input: Input,
    alerts: OnceCell<Packed>,
    alert_tags: OnceCell<Packed>,
    incident_tags: OnceCell<Packed>,
    changes: OnceCell<Packed>,
    details: OnceCell<Packed>,
    overrides: OnceCell<Packed>,
    ticket: OnceCell<Packed>,
    /// The hook that is being asked.
    pub(super) hook: Cell<Option<Hook>>,
    /// The alert that the chain has chosen.
    pub(super) primary_alert: Cell<Option<u32>>,
    /// What the chain has proposed so far.
    pub(super) proposals: RefCell<Vec<Proposal>>,
}

impl Context {
    pub(super) fn new(input: Input) -> Self {
        Self {
            input,
            alerts: OnceCell::new(),
            alert_tags: OnceCell::new(),
            incident_tags: OnceCell::new(),
            changes: OnceCell::new(),
            details: OnceCell::new(),
            overrides: OnceCell::new(),
            ticket: OnceCell::new(),
            hook: Cell::new(None),
            primary_alert: Cell::new(None),
            proposals: RefCell::new(Vec::new()),
        }
    }

    pub(super) fn head(&self) -> Head {
        pack::event::head(&self.input.share, self.input.occasion, self.input.ticket.is_some())
    }

    pub(super) fn alerts(&self) -> Packed {
        self.alerts.get_or_init(|| pack::event::alerts(&self.input.share.incident.alerts)).clone()
    }

    pub(super) fn alert_tags(&self) -> Packed {
        self.alert_tags.get_or_init(|| pack::event::alert_tags(&self.input.share.incident.alerts)).clone()
    }

    pub(super) fn incident_tags(&self) -> Packed {
        self.incident_tags.get_or_init(|| pack::event::incident_tags(&self.input.share.incident.tags)).clone()
    }

    pub(super) fn changes(&self) -> Packed {
        self.changes.get_or_init(|| pack::event::changes(&self.input.share.incident.changes)).clone()
    }

    pub(super) fn details(&self) -> Packed {
        self.details.get_or_init(|| pack::event::details(&self.input.share)).clone()
    }

    pub(super) fn overrides(&self) -> Packed {
        self.overrides.get_or_init(|| pack::event::overrides(&self.input.share.overrides)).clone()
    }

    pub(super) fn ticket(&self) -> Packed {
        self.ticket.get_or_init(|| pack::event::ticket(self.input.ticket.as_deref())).clone()
    }

    /// Not kept: it grows with every answer.
    pub(super) fn proposed(&self) -> Packed {
        pack::event::proposed(&self.proposals.borrow(), self.hook.get())
    }
}
