//! One run: people edit both sides, shares go astray, peers fail, the host dies and comes back; then all is calm.

mod outage;

use std::sync::Arc;
use std::time::Duration;

use tandem::clock::Steady;
use tandem::domain::id::{EnvironmentId, IncidentId, IntegrationName};
use tandem::domain::share::{Overrides, Share};
use tandem::domain::ticket::Phase;
use tandem::engine::Policy;
use tandem::engine::echo::outline;
use tandem::engine::policy::{Direction, Pair};
use tandem::store::Links as _;
use tandem::store::sqlite::SqliteStore;
use tandem::sync::{Effective, Handle, Integration, Options, Parts, Polls, Settings};

use super::bigpanda::{BigPanda, ENVIRONMENT};
use super::chance::Chance;
use super::plugins::{ONE_WAY, PAIR, Plugins};
use super::servicenow::ServiceNow;
use super::store::{Fences, Mortal};
use super::time::Time;
use super::weather::Weather;

/// Which safeguard is off, to show that a run would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Sound,
    /// A repeated create doesn't look for the first one's ticket.
    NoLookUp,
    /// Nothing is remembered of what was passed on.
    NoMemory,
    /// Workers stand still often.
    Frost,
    /// The same, and completions of leases that ran out count.
    NoFences,
}

impl Variant {
    /// In how many of a thousand places a worker freezes.
    fn frosty(self) -> u64 {
        match self {
            Self::Sound | Self::NoLookUp | Self::NoMemory => 8,
            Self::Frost | Self::NoFences => 150,
        }
    }
}

/// How long people and faults are at work, and how long it takes at most until both sides agree.
const BUSY: Duration = Duration::from_secs(240);
const FAIR: Duration = Duration::from_secs(18);
const CALM: Duration = Duration::from_secs(600);
/// Time in which nothing may be written any more: several looks.
const STILL: Duration = Duration::from_secs(100);
const INTERVAL: Duration = Duration::from_secs(20);

/// Something that a person does.
#[derive(Debug, Clone)]
enum Deed {
    Open(usize),
    Tag(usize, &'static str, String),
    Comment(usize, String),
    End(usize),
    ComeBack(usize),
    Field(usize, String),
    Note(usize, String),
    State(usize, &'static str),
    /// The host dies after so many steps.
    Kill(i64),
    /// The host's clock is wrong from here on.
    Jump(i64),
}

pub struct Fixed(pub Effective);

impl Settings for Fixed {
    fn effective(&self, _: &Overrides) -> Arc<Effective> {
        Arc::new(self.0.clone())
    }
    fn plain(&self) -> &Effective {
        &self.0
    }
}

pub struct Run {
    pub seed: u64,
    time: Arc<Time>,
    weather: Arc<Weather>,
    bigpanda: Arc<BigPanda>,
    servicenow: Arc<ServiceNow>,
    store: Arc<Mortal>,
    chance: Chance,
    deeds: Vec<(Duration, Deed)>,
    /// Shares on their way to the host.
    posted: Vec<(Duration, Share)>,
    said: Vec<String>,
    traced: bool,
}

fn id(number: usize) -> IncidentId {
    IncidentId::new(&format!("incident-{number}")).unwrap()
}

impl Run {
    pub fn new(seed: u64, variant: Variant) -> Self {
        let time = Arc::new(Time::default());
        let weather = Arc::new(Weather::new(seed ^ 0xABCD, variant.frosty()));
        let mut chance = Chance::new(seed);
        let deeds = script(&mut chance);
        Self {
            seed,
            bigpanda: Arc::new(BigPanda::new(time.clone(), weather.clone())),
            servicenow: Arc::new(ServiceNow::new(time.clone(), weather.clone(), variant == Variant::NoLookUp)),
            store: Arc::new(Mortal {
                inner: SqliteStore::in_memory().unwrap(),
                weather: weather.clone(),
                forgetful: variant == Variant::NoMemory,
                fences: if variant == Variant::NoFences { Fences::off() } else { Fences::On },
            }),
            time,
            weather,
            chance,
            deeds,
            posted: Vec::new(),
            said: Vec::new(),
            traced: std::env::var_os("TANDEM_TRACE").is_some(),
        }
    }

    fn parts(&self) -> Parts {
        self.parts_spaced(Duration::from_secs(30))
    }

    fn parts_spaced(&self, spacing: Duration) -> Parts {
        let pair =
            |(tag, field): (&str, &str), direction| Pair { tag: tag.to_owned(), field: field.to_owned(), direction };
        let mut policy = Policy {
            pairs: vec![pair(PAIR, Direction::Both), pair(ONE_WAY, Direction::ToServiceNow)],
            notes_from: vec![tandem::domain::ticket::Journal::WorkNotes],
            ..Policy::default()
        };
        // Nothing is given up: whether a run agrees in the end is the question.
        policy.retry.attempts = u32::MAX;
        policy.retry.crash_limit = u32::MAX;
        policy.retry.spacing = spacing;
        let effective = Effective { policy, plugin_settings: "{}".into(), ignored: Vec::new() };
        let integration = Integration {
            name: IntegrationName::new("acme").unwrap(),
            settings: Arc::new(Fixed(effective)),
            bigpanda: self.bigpanda.clone(),
            servicenow: self.servicenow.clone(),
            environment: Some(EnvironmentId::new(ENVIRONMENT).unwrap()),
            console: None,
            on_premises: false,
            to_servicenow: 4,
            polls: Polls { bigpanda: true, servicenow: true, interval: INTERVAL, ..Polls::default() },
        };
        Parts {
            store: self.store.clone(),
            transform: Arc::new(Plugins),
            notify: Arc::new(Plugins),
            clock: Arc::new(Steady::new(self.time.clone())),
            integrations: vec![integration],
            reader: Arc::new(|body| serde_json::from_slice(body).map_err(|error| error.to_string())),
            options: Options { idle: Duration::from_secs(60), ..Options::default() },
        }
    }

    /// Runs to the end; what went against a promise, if anything did.
    pub fn run(mut self) -> Result<(), String> {
        let mut lives = 0;
        loop {
            lives += 1;
            assert!(lives < 50, "seed {}: the host never lives", self.seed);
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            let survived = runtime.block_on(async {
                self.time.begin();
                let handle = Handle::start(self.parts());
                let weather = self.weather.clone();
                let survived = tokio::select! {
                    () = weather.died.notified() => false,
                    () = self.live(&handle) => true,
                };
                self.time.end();
                survived
            });
            // Everything that was under way dies with its runtime.
            drop(runtime);
            self.weather.spare();
            if !survived {
                self.trace(|| "the host died".to_owned());
            }
            self.store.inner.reopen().unwrap();
            if survived {
                return self.judge();
            }
        }
    }

    async fn live(&mut self, handle: &Handle) {
        while self.time.passed() < BUSY {
            // The first look, which only finds out where to begin, has to happen before anything does.
            self.weather.set_bad(self.time.passed() > FAIR);
            self.post();
            let next = self.deeds.first().map(|(at, _)| *at);
            let share = self.posted.iter().map(|(at, _)| *at).min();
            let until = [next, share, Some(BUSY)].into_iter().flatten().min().unwrap_or(BUSY);
            let wait = until.saturating_sub(self.time.passed()).min(Duration::from_secs(1));
            tokio::time::sleep(wait).await;
            while self.deeds.first().is_some_and(|(at, _)| *at <= self.time.passed()) {
                let (_, deed) = self.deeds.remove(0);
                self.act(deed);
            }
            self.deliver(handle).await;
        }
        self.weather.set_bad(false);
        self.time.jump(0);
        let end = BUSY + CALM;
        while self.time.passed() < end {
            self.post();
            tokio::time::sleep(Duration::from_secs(5)).await;
            self.deliver(handle).await;
        }
        let before = self.writes();
        tokio::time::sleep(STILL).await;
        if self.writes() != before {
            self.said.push("the sides do not come to rest".to_owned());
        }
    }

    /// Tells what happens, when a run is repeated to be looked at.
    fn trace(&self, what: impl FnOnce() -> String) {
        if self.traced {
            println!("{:>8.3} {}", self.time.passed().as_secs_f64(), what());
        }
    }

    fn writes(&self) -> u64 {
        self.bigpanda.look().writes + self.servicenow.look().writes
    }

    /// BigPanda's new shares get lost, doubled, and late.
    fn post(&mut self) {
        let shares: Vec<Share> = self.bigpanda.look().shares.drain(..).collect();
        let now = self.time.passed();
        let bad = now < BUSY;
        for share in shares {
            let copies = match self.chance.below(100) {
                0..=14 if bad => 0,
                15..=24 if bad => 2,
                _ => 1,
            };
            for _ in 0..copies {
                let late = Duration::from_millis(self.chance.below(if bad { 8_000 } else { 500 }));
                self.posted.push((now + late, share.clone()));
            }
        }
    }

    async fn deliver(&mut self, handle: &Handle) {
        let now = self.time.passed();
        let (due, later) = std::mem::take(&mut self.posted).into_iter().partition(|(at, _)| *at <= now);
        self.posted = later;
        let due: Vec<(Duration, Share)> = due;
        for (_, share) in due {
            self.trace(|| format!("share {:?} of {} {:?}", share.kind, share.incident.id, share.incident.tags));
            let dedupe = format!("{:?}/{}", share.kind, outline(&share.incident));
            let body = serde_json::to_vec(&share).unwrap();
            handle.accept(&IntegrationName::new("acme").unwrap(), share, dedupe, body.into()).await.unwrap();
        }
    }

    fn act(&mut self, deed: Deed) {
        self.trace(|| format!("{deed:?}"));
        let late = i64::try_from(self.chance.below(30_000)).unwrap();
        let edit = |number: usize, fields: &[(&str, &str)]| {
            let newest = {
                let inside = self.servicenow.look();
                let newest = inside.tickets.iter().rfind(|ticket| ticket.state.incident == id(number));
                let open = newest.filter(|ticket| ticket.state.phase() != Phase::Closed);
                open.map(|ticket| ticket.state.ticket.sys_id.clone())
            };
            // What is closed stays closed.
            if let Some(sys_id) = newest {
                self.servicenow.edit(&sys_id, fields, late);
            }
        };
        match deed {
            Deed::Open(number) => self.bigpanda.open(&id(number).to_string()),
            Deed::Tag(number, tag, value) => self.bigpanda.tag(&id(number), tag, &value),
            Deed::Comment(number, text) => self.bigpanda.comment(&id(number), &text),
            Deed::End(number) => self.bigpanda.end(&id(number)),
            Deed::ComeBack(number) => self.bigpanda.come_back(&id(number)),
            Deed::Field(number, value) => edit(number, &[(PAIR.1, &value)]),
            Deed::Note(number, text) => edit(number, &[("work_notes", &text)]),
            Deed::State(number, state) => edit(number, &[("state", state)]),
            Deed::Kill(steps) => self.weather.doom(steps),
            Deed::Jump(milliseconds) => self.time.jump(milliseconds),
        }
    }

    /// Holds the end against what was promised.
    fn judge(mut self) -> Result<(), String> {
        let bigpanda = self.bigpanda.look();
        let servicenow = self.servicenow.look();
        if let Some(doubled) = &servicenow.doubled {
            self.said.push(format!("an incident got a ticket twice: {doubled}"));
        }
        for (id, known) in &bigpanda.incidents {
            let tickets: Vec<_> = servicenow.tickets.iter().filter(|ticket| ticket.state.incident == *id).collect();
            let Some(newest) = tickets.last() else {
                if known.incident.active {
                    self.said.push(format!("{id} has no ticket"));
                }
                continue;
            };
            let open = tickets.iter().filter(|ticket| ticket.state.phase() == Phase::Open).count();
            if open > 1 {
                self.said.push(format!("{id} has {open} open tickets"));
            }
            if newest.state.phase() != Phase::Closed {
                let tag = known.incident.tag(PAIR.0).unwrap_or("");
                let field = newest.state.field(PAIR.1);
                if !tag.is_empty() && tag != field {
                    self.said.push(format!("{id} says {tag}, {} says {field}", newest.state.ticket.number));
                }
            }
            let written: Vec<&str> =
                tickets.iter().flat_map(|ticket| &ticket.notes).map(|note| note.text.as_str()).collect();
            for activity in &known.activities {
                let told = written.iter().filter(|note| note.contains(activity.text.as_str())).count();
                if activity.text.starts_with("bp-") && told > 1 {
                    self.said.push(format!("{} was told {told} times", activity.text));
                }
                if activity.text.starts_with("bp-") && told == 0 && newest.state.phase() == Phase::Open {
                    self.said.push(format!("{} was not told", activity.text));
                }
            }
            for note in tickets.iter().flat_map(|ticket| &ticket.notes).filter(|note| note.text.starts_with("sn-")) {
                let told = known.activities.iter().filter(|activity| activity.text.contains(&note.text)).count();
                if told != 1 {
                    self.said.push(format!("{} was told {told} times", note.text));
                }
            }
        }
        if self.traced {
            self.history(&bigpanda);
        }
        drop((bigpanda, servicenow));
        if self.said.is_empty() { Ok(()) } else { Err(format!("seed {}: {}", self.seed, self.said.join("; "))) }
    }
}

impl Run {
    /// The host's own account of every link.
    fn history(&self, bigpanda: &super::bigpanda::Inside) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for id in bigpanda.incidents.keys() {
                let acme = IntegrationName::new("acme").unwrap();
                let Some(link) = self.store.inner.link_of(&acme, id).await.unwrap() else { continue };
                println!("{id}: {:?}", link.memory);
                for line in self.store.inner.journal_of(link.id).await.unwrap() {
                    let at = line.at.since(super::time::BEGIN).as_secs_f64();
                    println!("{at:>8.3}   {} {}", line.kind, line.text);
                }
            }
        });
    }
}

/// What people do in a run.
fn script(chance: &mut Chance) -> Vec<(Duration, Deed)> {
    let incidents = 1 + usize::try_from(chance.below(3)).unwrap();
    let mut deeds: Vec<(Duration, Deed)> =
        // After the first look, which only finds out where to begin.
        (0..incidents).map(|number| (Duration::from_millis(20_000 + chance.below(20_000)), Deed::Open(number))).collect();
    for number in 0..6 + chance.below(10) {
        let at = Duration::from_millis(30_000 + chance.below(200_000));
        let whom = usize::try_from(chance.below(incidents as u64)).unwrap();
        let deed = match chance.below(20) {
            0..=3 => Deed::Tag(whom, PAIR.0, format!("team-{number}")),
            4 => Deed::Tag(whom, ONE_WAY.0, (1 + chance.below(3)).to_string()),
            5..=6 => Deed::Comment(whom, format!("bp-{number}.")),
            7..=8 => Deed::End(whom),
            9..=10 => Deed::ComeBack(whom),
            11..=13 => Deed::Field(whom, format!("cat-{number}")),
            14 => Deed::Note(whom, format!("sn-{number}.")),
            15..=16 => Deed::State(whom, ["2", "6", "6", "7"][usize::try_from(chance.below(4)).unwrap()]),
            17..=18 => Deed::Kill(i64::try_from(chance.below(60)).unwrap()),
            _ => Deed::Jump(i64::try_from(chance.below(400_000)).unwrap() - 200_000),
        };
        deeds.push((at, deed));
    }
    deeds.sort_by_key(|(at, _)| *at);
    deeds
}
