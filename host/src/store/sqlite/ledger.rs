//! What the writer knows by heart: the unfinished events and requests of every link, and who may be claimed next.
//!
//! Only links with something unfinished are here, so memory follows the backlog and not the history. Rebuilt from
//! the database at open; the writer is the only one that changes either. A change inside a transaction is undone
//! by [`Ledger::roll_back`] when the transaction is. Leases and fences live here only: at open every lease of the
//! former process has run out (the rows say which), and fences start anew above all earlier ones.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::rows;
use crate::domain::event::Occasion;
use crate::domain::id::{EventId, Fence, IntegrationName, LinkId, RequestId};
use crate::domain::request::Target;
use crate::domain::time::Timestamp;
use crate::store::{Depths, RequestState, Waiting};

/// A claim of one worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) fence: Fence,
    pub(super) until: Timestamp,
    /// False once it has run out. The fence is kept: a late completion still counts until somebody claims anew.
    pub(super) held: bool,
}

/// A pending event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LiveEvent {
    pub(super) id: EventId,
    pub(super) occasion: Occasion,
    pub(super) received: Timestamp,
    pub(super) revision: i64,
    /// Held until then; zero for one that isn't.
    pub(super) until: Timestamp,
    pub(super) crashes: u32,
    /// Belongs to the claim of its link.
    pub(super) claimed: bool,
}

/// A request that is neither finished nor dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LiveRequest {
    pub(super) id: RequestId,
    /// Where it rests, as in its row.
    pub(super) state: i64,
    pub(super) created: Timestamp,
    pub(super) due: Timestamp,
    pub(super) lease: Option<Lease>,
}

impl LiveRequest {
    fn is_leased(&self) -> bool {
        self.lease.is_some_and(|lease| lease.held)
    }
}

/// All that is unfinished of one link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Live {
    integration: usize,
    /// Oldest first.
    pub(super) events: Vec<LiveEvent>,
    pub(super) claim: Option<Lease>,
    /// Oldest first.
    servicenow: Vec<LiveRequest>,
    bigpanda: Vec<LiveRequest>,
}

impl Live {
    pub(super) fn lane(&mut self, target: Target) -> &mut Vec<LiveRequest> {
        match target {
            Target::ServiceNow => &mut self.servicenow,
            Target::BigPanda => &mut self.bigpanda,
        }
    }

    fn look(&self, target: Target) -> &[LiveRequest] {
        match target {
            Target::ServiceNow => &self.servicenow,
            Target::BigPanda => &self.bigpanda,
        }
    }

    /// Puts a request into its lane, by age.
    pub(super) fn insert(&mut self, target: Target, request: LiveRequest) {
        let lane = self.lane(target);
        let place = lane.partition_point(|other| other.id < request.id);
        lane.insert(place, request);
    }

    pub(super) fn request(&mut self, target: Target, id: RequestId) -> Option<&mut LiveRequest> {
        self.lane(target).iter_mut().find(|request| request.id == id)
    }

    /// The fence of the last claim of a request.
    pub(super) fn fence_of(&self, target: Target, id: RequestId) -> Option<Fence> {
        self.look(target).iter().find(|request| request.id == id)?.lease.map(|lease| lease.fence)
    }

    pub(super) fn is_leased(&self, target: Target, id: RequestId) -> bool {
        self.look(target).iter().any(|request| request.id == id && request.is_leased())
    }

    pub(super) fn remove(&mut self, target: Target, id: RequestId) {
        self.lane(target).retain(|request| request.id != id);
    }

    /// Whether anything to that side is neither finished nor dead.
    pub(super) fn is_waiting(&self, target: Target) -> bool {
        !self.look(target).is_empty()
    }

    /// The youngest request to that side that is neither finished nor dead.
    pub(super) fn newest(&self, target: Target) -> Option<RequestId> {
        self.look(target).last().map(|request| request.id)
    }

    /// Whether this event is all that is unfinished, and nobody has it.
    pub(super) fn has_only(&self, event: EventId) -> bool {
        let alone = matches!(self.events.as_slice(), [only] if only.id == event);
        alone && self.claim.is_none() && self.servicenow.is_empty() && self.bigpanda.is_empty()
    }

    fn is_finished(&self) -> bool {
        self.events.is_empty() && self.servicenow.is_empty() && self.bigpanda.is_empty()
    }

    /// From when on the events may be claimed, if nothing but time is in the way. Zero: at once.
    fn claimable_from(&self) -> Option<Timestamp> {
        if self.claim.is_some_and(|claim| claim.held) || !self.servicenow.is_empty() {
            return None;
        }
        self.events.iter().map(|event| event.until).min()
    }

    /// The request of a lane that may be claimed, if nothing but time is in the way.
    fn head(&self, target: Target) -> Option<&LiveRequest> {
        let lane = self.look(target);
        if lane.iter().any(LiveRequest::is_leased) { None } else { lane.first() }
    }
}

/// What a lease is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Held {
    Events,
    Request(RequestId, Side),
}

/// A target that can be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    ServiceNow,
    BigPanda,
}

impl Side {
    const ALL: [Self; 2] = [Self::ServiceNow, Self::BigPanda];

    pub(super) fn of(target: Target) -> Self {
        match target {
            Target::ServiceNow => Self::ServiceNow,
            Target::BigPanda => Self::BigPanda,
        }
    }

    pub(super) fn target(self) -> Target {
        match self {
            Self::ServiceNow => Target::ServiceNow,
            Self::BigPanda => Target::BigPanda,
        }
    }
}

/// Heads of lanes, longest due first.
type Due = BTreeSet<(Timestamp, RequestId, LinkId)>;

/// Counts of what the ledger does not hold row by row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) links: u64,
    pub(super) dead: u64,
    pub(super) quarantined: u64,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    links: HashMap<LinkId, Live>,
    /// Links whose events may be claimed now, longest waiting first.
    ready: BTreeSet<(EventId, LinkId)>,
    /// Links whose events may be claimed later.
    held: BTreeSet<(Timestamp, LinkId)>,
    /// Heads of lanes without a lease, by side and integration, so that a paused one costs nothing.
    due: BTreeMap<(Side, usize), Due>,
    leases: BTreeSet<(Timestamp, LinkId, Held)>,
    integrations: Vec<IntegrationName>,
    fence: i64,
    pub(super) totals: Totals,
    before: HashMap<LinkId, Option<Live>>,
    totals_before: Totals,
}

impl Ledger {
    /// An empty ledger whose fences lie above those of all former openings.
    pub(super) fn new(epoch: i64) -> Self {
        Self { fence: epoch << 32, ..Self::default() }
    }

    pub(super) fn next_fence(&mut self) -> Fence {
        self.fence += 1;
        Fence(self.fence)
    }

    /// From here on changes can be undone.
    pub(super) fn begin(&mut self) {
        self.before.clear();
        self.totals_before = self.totals;
    }

    /// Puts everything back as it was at [`Ledger::begin`].
    pub(super) fn roll_back(&mut self) {
        self.totals = self.totals_before;
        for (link, before) in std::mem::take(&mut self.before) {
            self.list(link, false);
            match before {
                Some(live) => {
                    self.links.insert(link, live);
                    self.list(link, true);
                }
                None => {
                    self.links.remove(&link);
                }
            }
        }
    }

    pub(super) fn get(&self, link: LinkId) -> Option<&Live> {
        self.links.get(&link)
    }

    /// Changes what is known of a link. `integration` matters only for a link that is not in the ledger yet.
    pub(super) fn change<R>(
        &mut self,
        link: LinkId,
        integration: &IntegrationName,
        change: impl FnOnce(&mut Live) -> R,
    ) -> R {
        if !self.links.contains_key(&link) {
            let integration = self.number_of(integration);
            self.before.entry(link).or_insert(None);
            self.links.insert(link, Live { integration, ..Live::default() });
        }
        self.amend(link, change).unwrap_or_else(|change| change(&mut Live::default()))
    }

    /// Changes what is known of a link that is in the ledger; hands the change back when it isn't.
    pub(super) fn amend<R, F: FnOnce(&mut Live) -> R>(&mut self, link: LinkId, change: F) -> Result<R, F> {
        self.list(link, false);
        let Some(live) = self.links.get_mut(&link) else { return Err(change) };
        self.before.entry(link).or_insert_with(|| Some(live.clone()));
        let result = change(live);
        if live.is_finished() {
            self.links.remove(&link);
        } else {
            self.list(link, true);
        }
        Ok(result)
    }

    fn number_of(&mut self, name: &IntegrationName) -> usize {
        self.integrations.iter().position(|known| known == name).unwrap_or_else(|| {
            self.integrations.push(name.clone());
            self.integrations.len() - 1
        })
    }

    /// Enters a link into the orderings, or strikes it from them; what it is must not change in between.
    fn list(&mut self, link: LinkId, listed: bool) {
        let Some(live) = self.links.get(&link) else { return };
        if let (Some(from), Some(first)) = (live.claimable_from(), live.events.first()) {
            if from == Timestamp::default() {
                put(&mut self.ready, (first.id, link), listed);
            } else {
                put(&mut self.held, (from, link), listed);
            }
        }
        if let Some(claim) = live.claim.filter(|claim| claim.held) {
            put(&mut self.leases, (claim.until, link, Held::Events), listed);
        }
        for side in Side::ALL {
            if let Some(head) = live.head(side.target()) {
                let due = self.due.entry((side, live.integration)).or_default();
                put(due, (head.due, head.id, link), listed);
            }
            for request in live.look(side.target()) {
                if let Some(lease) = request.lease.filter(|lease| lease.held) {
                    put(&mut self.leases, (lease.until, link, Held::Request(request.id, side)), listed);
                }
            }
        }
    }

    /// Links whose events may be claimed, longest waiting first.
    pub(super) fn claimable(&mut self, limit: usize, now: Timestamp) -> Vec<LinkId> {
        while let Some((until, link)) = self.held.first().copied().filter(|(until, _)| *until <= now) {
            let freed = self.amend(link, |live| {
                for event in &mut live.events {
                    event.until = Timestamp::default();
                }
            });
            if freed.is_err() {
                self.held.remove(&(until, link));
            }
        }
        self.ready.iter().take(limit).map(|(_, link)| *link).collect()
    }

    /// Requests of those integrations that may be claimed, longest due first.
    pub(super) fn due(
        &self,
        target: Target,
        limit: usize,
        may: &dyn Fn(&IntegrationName) -> bool,
        now: Timestamp,
    ) -> Vec<(LinkId, RequestId)> {
        let side = Side::of(target);
        let mut sources: Vec<_> = self
            .due
            .range((side, 0)..=(side, usize::MAX))
            .filter(|((_, number), _)| self.integrations.get(*number).is_some_and(may))
            .map(|(_, due)| due.iter().take_while(|(due, ..)| *due <= now).peekable())
            .collect();
        let mut picked = Vec::new();
        while picked.len() < limit {
            let first = sources.iter_mut().filter_map(|source| source.peek().copied().map(|row| (row, source)));
            let Some((&(_, request, link), source)) = first.min_by_key(|(row, _)| **row) else { break };
            source.next();
            picked.push((link, request));
        }
        picked
    }

    /// The request of the link's lane, if it may be claimed and nobody of its integration waits longer.
    pub(super) fn next_of(&self, link: LinkId, target: Target, now: Timestamp) -> Option<RequestId> {
        let live = self.links.get(&link)?;
        let head = live.head(target).filter(|head| head.due <= now)?;
        let (_, first, _) = self.due.get(&(Side::of(target), live.integration))?.first()?;
        (*first == head.id).then_some(head.id)
    }

    /// What is leased to nobody: events of any link, and requests of that integration.
    pub(super) fn waiting(&self, integration: &IntegrationName) -> Waiting {
        let number = self.integrations.iter().position(|known| known == integration);
        let side = |side| number.is_some_and(|number| self.due.get(&(side, number)).is_some_and(|due| !due.is_empty()));
        Waiting {
            events: !self.ready.is_empty() || !self.held.is_empty(),
            servicenow: side(Side::ServiceNow),
            bigpanda: side(Side::BigPanda),
        }
    }

    /// Leases that have run out.
    pub(super) fn expired(&self, now: Timestamp) -> Vec<(LinkId, Held)> {
        self.leases.iter().take_while(|(until, ..)| *until <= now).map(|(_, link, held)| (*link, *held)).collect()
    }

    /// The first moment after `now` at which something can be claimed that can't be now.
    pub(super) fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let after = Timestamp(now.0.saturating_add(1));
        let held = self.held.range((after, LinkId(i64::MIN))..).next().map(|(at, _)| *at);
        let lease = self.leases.range((after, LinkId(i64::MIN), Held::Events)..).next().map(|(at, ..)| *at);
        let due = self
            .due
            .values()
            .filter_map(|due| due.range((after, RequestId(i64::MIN), LinkId(i64::MIN))..).next().map(|(at, ..)| *at));
        held.into_iter().chain(lease).chain(due).min()
    }

    pub(super) fn depths(&self) -> Depths {
        let mut events = 0_u64;
        let mut counts = [0_u64; 4];
        let [ready, leased, retry, dead_pending] = &mut counts;
        let mut oldest: Option<Timestamp> = None;
        let mut see = |at: Timestamp| oldest = Some(oldest.map_or(at, |oldest| oldest.min(at)));
        for live in self.links.values() {
            events += live.events.len() as u64;
            live.events.iter().for_each(|event| see(event.received));
            for request in live.servicenow.iter().chain(&live.bigpanda) {
                see(request.created);
                let count = match request.state {
                    _ if request.is_leased() => &mut *leased,
                    rows::RETRY => &mut *retry,
                    rows::DEAD_PENDING => &mut *dead_pending,
                    _ => &mut *ready,
                };
                *count += 1;
            }
        }
        let requests = vec![
            (RequestState::Ready, *ready),
            (RequestState::Leased, *leased),
            (RequestState::Retry, *retry),
            (RequestState::DeadPending, *dead_pending),
            (RequestState::Dead, self.totals.dead),
        ];
        Depths {
            events_pending: events,
            events_quarantined: self.totals.quarantined,
            requests,
            oldest,
            links: self.totals.links,
        }
    }
}

fn put<T: Ord>(set: &mut BTreeSet<T>, entry: T, listed: bool) {
    if listed {
        set.insert(entry);
    } else {
        set.remove(&entry);
    }
}
