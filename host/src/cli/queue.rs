//! `tandem queue`: what waits for delivery, and what a person decides about it.
//!
//! A running host owns the store, so it is asked through its operators' API; when none answers, the store's file is
//! opened here.

pub(super) mod desk;
mod many;
mod show;
mod what;

use super::integration::one;
use super::{Exit, Source, block_on, output, report};
use crate::config::Integration;
use crate::domain::fault::Class;
use crate::domain::id::{EventId, IntegrationName, RequestId};
use crate::store::{QueueFilter, RequestState, RequestView, Retried};
use desk::Desk;
use what::{Rate, What, WithPlugin};

#[derive(Debug, Clone, clap::Subcommand)]
pub(super) enum Command {
    /// List requests that are not finished, newest first
    List(List),
    /// Show one request: what it writes, each attempt, and its link's history; or one quarantined event
    Show {
        /// The number in the first column of `queue list`, or of `queue list --quarantined`, such as 17 or e17
        what: What,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make requests due now, with a fresh budget of attempts; or have quarantined events looked at again
    Retry(Retry),
    /// Give requests or quarantined events up; their links go on with the next share. All at once only with --yes
    Discard(Discard),
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct List {
    /// Only those of one integration
    #[arg(long, value_parser = integration)]
    integration: Option<IntegrationName>,
    /// Only those in these states: ready, leased, retry, dead-pending, dead, done, discarded
    #[arg(long, value_delimiter = ',', value_parser = state)]
    state: Vec<RequestState>,
    /// Instead of requests, the events that were set aside
    #[arg(long, conflicts_with_all = ["state", "limit"])]
    quarantined: bool,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Retry {
    /// The numbers in the first column of `queue list`, or of `queue list --quarantined`, such as 17 or e17
    #[arg(required_unless_present = "all")]
    what: Vec<What>,
    /// Ask this component in the place of the running plugin of that id, for these alone; needs a running host
    #[arg(long, value_name = "ID=FILE.wasm", conflicts_with = "all")]
    with_plugin: Option<WithPlugin>,
    /// Every dead letter, spread over time
    #[arg(long, conflicts_with = "what")]
    all: bool,
    /// Of one integration only
    #[arg(long, conflicts_with = "what", value_parser = integration)]
    integration: Option<IntegrationName>,
    /// Only those that failed for this reason: a code of the last column of `queue list`
    #[arg(long, conflicts_with = "what", value_name = "CODE")]
    reason: Option<String>,
    /// How many fall due a second, minute or hour
    #[arg(long, conflicts_with = "what", value_name = "N/s|m|h", default_value = "10/s")]
    rate: Rate,
    /// Only say what would be done
    #[arg(long, conflicts_with = "what")]
    dry_run: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "what")]
    json: bool,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Discard {
    /// The numbers in the first column of `queue list`, or of `queue list --quarantined`, such as 17 or e17
    #[arg(required_unless_present = "all")]
    what: Vec<What>,
    /// Every dead letter: a dry run, unless --yes is given
    #[arg(long, conflicts_with = "what")]
    all: bool,
    /// Of one integration only
    #[arg(long, conflicts_with = "what", value_parser = integration)]
    integration: Option<IntegrationName>,
    /// Give all of them up; what they hold is lost
    #[arg(long, conflicts_with = "what")]
    yes: bool,
}

fn integration(text: &str) -> Result<IntegrationName, String> {
    IntegrationName::new(text).map_err(|error| error.to_string())
}

fn state(text: &str) -> Result<RequestState, String> {
    RequestState::parse(text).ok_or_else(|| {
        format!("there is no such state; use one of {}", RequestState::ALL.map(RequestState::as_str).join(", "))
    })
}

pub(super) fn run(source: &Source, command: Command) -> anyhow::Result<Exit> {
    let config = source.load()?.config;
    block_on(async {
        let desk = Desk::find(&config).await?;
        if let Some(name) = command.integration() {
            known(&desk, &config.integrations, name).await?;
        }
        match command {
            Command::List(list) => print_list(&desk, list).await,
            Command::Show { what: What::Request(id), json } => print_one(&desk, id, json).await,
            Command::Show { what: What::Event(id), json } => print_event(&desk, id, json).await,
            Command::Retry(Retry { all: true, integration, reason, rate, dry_run, json, .. }) => {
                many::run(&desk, many::Which { integration, reason }, rate, dry_run, json).await
            }
            Command::Retry(Retry { what, with_plugin: Some(with), .. }) => retry_with(&desk, &what, &with).await,
            Command::Retry(Retry { what, .. }) => retry(&desk, &what).await,
            Command::Discard(Discard { all: true, integration, yes, .. }) => discard_all(&desk, integration, yes).await,
            Command::Discard(Discard { what, .. }) => discard(&desk, &what).await,
        }
    })
}

impl Command {
    /// The one integration that it is about, if it says so.
    fn integration(&self) -> Option<&IntegrationName> {
        match self {
            Self::List(List { integration, .. })
            | Self::Retry(Retry { integration, .. })
            | Self::Discard(Discard { integration, .. }) => integration.as_ref(),
            Self::Show { .. } => None,
        }
    }
}

/// Refuses the name of an integration that nobody knows. One that is no longer configured may still have requests.
async fn known(desk: &Desk, all: &[Integration], name: &IntegrationName) -> anyhow::Result<()> {
    let Err(unknown) = one(all, Some(name)) else { return Ok(()) };
    let filter = QueueFilter { integration: Some(name.clone()), states: RequestState::ALL.to_vec(), limit: 1 };
    if desk.list(&filter).await?.is_empty() && desk.quarantined(Some(name)).await?.is_empty() {
        return Err(unknown.into());
    }
    Ok(())
}

async fn print_list(desk: &Desk, list: List) -> anyhow::Result<Exit> {
    if list.quarantined {
        let events = desk.quarantined(list.integration.as_ref()).await?;
        if list.json {
            output::json(&events)?;
        } else if events.is_empty() {
            output::talk("nothing is quarantined");
        } else {
            output::data(&show::events(&events))?;
        }
        return Ok(Exit::Success);
    }
    let filter = QueueFilter { integration: list.integration, states: list.state, limit: list.limit };
    let requests = desk.list(&filter).await?;
    if list.json {
        output::json(&requests)?;
    } else if requests.is_empty() {
        output::talk("nothing waits");
    } else {
        output::data(&show::list(&requests))?;
    }
    Ok(Exit::Success)
}

async fn print_one(desk: &Desk, id: RequestId, json: bool) -> anyhow::Result<Exit> {
    let detail = desk.show(id).await?.ok_or_else(|| no_such(id))?;
    if json {
        output::json(&detail)?;
    } else {
        output::data(&show::detail(&detail))?;
    }
    Ok(Exit::Success)
}

async fn print_event(desk: &Desk, id: EventId, json: bool) -> anyhow::Result<Exit> {
    let Some(event) = desk.quarantined(None).await?.into_iter().find(|event| event.id == id) else {
        return Err(report::Told::new(Class::Missing, "queue.missing", format!("no event e{id} is quarantined"))
            .hint("`tandem queue list --quarantined` shows those that are; a request has a number without the e")
            .into());
    };
    if json {
        output::json(&event)?;
    } else {
        output::data(&show::events(&[event]))?;
    }
    Ok(Exit::Success)
}

async fn retry(desk: &Desk, all: &[What]) -> anyhow::Result<Exit> {
    let mut exit = Exit::Success;
    for what in all {
        let said = match *what {
            What::Request(id) => match desk.retry(id).await? {
                Retried::Due => Ok(format!("request {id} is due now\n")),
                Retried::Overtaken { by } => {
                    Err(format!("request {id} stays dead: request {by} is newer and under way"))
                }
                Retried::Unknown => Err(format!("request {id} does not exist or is finished")),
            },
            What::Event(id) if desk.release(id).await? => Ok(format!("event e{id} is looked at again\n")),
            What::Event(id) => Err(format!("no event e{id} is quarantined")),
        };
        tell(said, &mut exit)?;
    }
    Ok(exit)
}

async fn retry_with(desk: &Desk, all: &[What], with: &WithPlugin) -> anyhow::Result<Exit> {
    let component = with.read()?;
    for what in all {
        let said = match *what {
            What::Request(id) => show::redone(&desk.retry_with(id, with, component.clone()).await?),
            What::Event(id) => {
                let plugin = desk.release_with(id, with, component.clone()).await?;
                format!(
                    "event e{id} is looked at again with {plugin}, for it alone; should the host end first, with the \
                     installed plugins\n"
                )
            }
        };
        output::data(&said)?;
    }
    Ok(Exit::Success)
}

async fn discard(desk: &Desk, all: &[What]) -> anyhow::Result<Exit> {
    let mut exit = Exit::Success;
    for what in all {
        let said = match *what {
            What::Request(id) if desk.discard(id).await? => Ok(format!("request {id} is given up\n")),
            What::Request(id) => Err(format!("request {id} does not exist, is finished, or is being delivered now")),
            What::Event(id) if desk.forget(id).await? => Ok(format!("event e{id} is given up\n")),
            What::Event(id) => Err(format!("no event e{id} is quarantined")),
        };
        tell(said, &mut exit)?;
    }
    Ok(exit)
}

fn tell(said: Result<String, String>, exit: &mut Exit) -> anyhow::Result<()> {
    match said {
        Ok(done) => output::data(&done),
        Err(why) => {
            output::talk(&why);
            *exit = Exit::Failure;
            Ok(())
        }
    }
}

/// What is given up is lost, so it is only listed until somebody says yes.
async fn discard_all(desk: &Desk, integration: Option<IntegrationName>, yes: bool) -> anyhow::Result<Exit> {
    let states = vec![RequestState::Dead, RequestState::DeadPending];
    let dead = desk.list(&QueueFilter { integration, states, limit: 1000 }).await?;
    if dead.is_empty() {
        output::talk("there is no dead letter");
        return Ok(Exit::Success);
    }
    if yes {
        let all: Vec<What> = dead.iter().map(|request: &RequestView| What::Request(request.id)).collect();
        return discard(desk, &all).await;
    }
    output::data(&show::list(&dead))?;
    let what = match dead.len() {
        1 => "1 dead letter would be given up, and what it holds is lost".to_owned(),
        more => format!("{more} dead letters would be given up, and what they hold is lost"),
    };
    output::talk(&format!("nothing was changed; with --yes {what}"));
    Ok(Exit::Success)
}

fn no_such(id: RequestId) -> report::Told {
    report::Told::new(Class::Missing, "queue.missing", format!("there is no request {id}"))
        .hint("`tandem queue list` shows what waits; add --state done,discarded for what is finished")
}
