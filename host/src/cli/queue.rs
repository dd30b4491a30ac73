//! `tandem queue`: what waits for delivery, and what a person decides about it.
//!
//! A running host owns the store, so it is asked through its operators' API; when none answers, the store's file is
//! opened here.

pub(super) mod desk;
mod many;
mod show;
mod what;

use super::{Exit, Source, block_on, output, report};
use crate::domain::fault::Class;
use crate::domain::id::{IntegrationName, RequestId};
use crate::store::{QueueFilter, RequestState, RequestView, Retried};
use desk::Desk;
use what::{Rate, What, WithPlugin};

#[derive(Debug, Clone, clap::Subcommand)]
pub(super) enum Command {
    /// List requests that are not finished, newest first
    List(List),
    /// Show one request: what it writes, each attempt, and its link's history
    Show {
        /// The number in the first column of `queue list`
        id: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make requests due now, with a fresh budget of attempts; or have quarantined events looked at again
    Retry(Retry),
    /// Give requests or quarantined events up; their links go on with the next share
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
    /// Every dead letter
    #[arg(long, conflicts_with = "what")]
    all: bool,
    /// Of one integration only
    #[arg(long, conflicts_with = "what", value_parser = integration)]
    integration: Option<IntegrationName>,
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
        match command {
            Command::List(list) => print_list(&desk, list).await,
            Command::Show { id, json } => print_one(&desk, RequestId(id), json).await,
            Command::Retry(Retry { all: true, integration, reason, rate, dry_run, json, .. }) => {
                many::run(&desk, many::Which { integration, reason }, rate, dry_run, json).await
            }
            Command::Retry(Retry { what, with_plugin: Some(with), .. }) => retry_with(&desk, &what, &with).await,
            Command::Retry(Retry { what, .. }) => retry(&desk, &what).await,
            Command::Discard(Discard { all: true, integration, .. }) => {
                let dead = dead(&desk, integration).await?;
                if dead.is_empty() {
                    output::talk("there is no dead letter");
                }
                discard(&desk, &dead).await
            }
            Command::Discard(Discard { what, .. }) => discard(&desk, &what).await,
        }
    })
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

async fn dead(desk: &Desk, integration: Option<IntegrationName>) -> anyhow::Result<Vec<What>> {
    let states = vec![RequestState::Dead, RequestState::DeadPending];
    let requests = desk.list(&QueueFilter { integration, states, limit: 1000 }).await?;
    Ok(requests.iter().map(|request: &RequestView| What::Request(request.id)).collect())
}

fn no_such(id: RequestId) -> report::Told {
    report::Told::new(Class::Missing, "queue.missing", format!("there is no request {id}"))
        .hint("`tandem queue list` shows what waits; add --state done,discarded for what is finished")
}
