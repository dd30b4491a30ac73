//! `tandem queue`: what waits for delivery, and what a person decides about it.
//!
//! A running host owns the store, so it is asked through its operators' API; when none answers, the store's file is
//! opened here.

pub(super) mod desk;
mod show;

use super::{Exit, Source, block_on, output, report};
use crate::domain::fault::Class;
use crate::domain::id::{IntegrationName, RequestId};
use crate::store::{QueueFilter, RequestState, RequestView, Retried};
use desk::Desk;

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
    /// Make requests due now, with a fresh budget of attempts
    Retry(Pick),
    /// Give requests up; their links go on with the next share
    Discard(Pick),
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct List {
    /// Only those of one integration
    #[arg(long, value_parser = integration)]
    integration: Option<IntegrationName>,
    /// Only those in these states: ready, leased, retry, dead-pending, dead, done, discarded
    #[arg(long, value_delimiter = ',', value_parser = state)]
    state: Vec<RequestState>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Pick {
    /// The numbers in the first column of `queue list`
    #[arg(required_unless_present = "all_dead")]
    ids: Vec<i64>,
    /// Every dead letter
    #[arg(long, conflicts_with = "ids")]
    all_dead: bool,
    /// Of one integration only
    #[arg(long, requires = "all_dead", value_parser = integration)]
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

#[derive(Debug, Clone, Copy)]
enum Verb {
    Retry,
    Discard,
}

pub(super) fn run(source: &Source, command: Command) -> anyhow::Result<Exit> {
    let config = source.load()?.config;
    block_on(async {
        let desk = Desk::find(&config).await?;
        match command {
            Command::List(list) => print_list(&desk, list).await,
            Command::Show { id, json } => print_one(&desk, RequestId(id), json).await,
            Command::Retry(pick) => decide(&desk, &pick, Verb::Retry).await,
            Command::Discard(pick) => decide(&desk, &pick, Verb::Discard).await,
        }
    })
}

async fn print_list(desk: &Desk, list: List) -> anyhow::Result<Exit> {
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

async fn decide(desk: &Desk, pick: &Pick, verb: Verb) -> anyhow::Result<Exit> {
    let ids = if pick.all_dead { dead(desk, pick.integration.clone()).await? } else { pick.ids.clone() };
    if ids.is_empty() {
        output::talk("there is no dead letter");
    }
    let mut exit = Exit::Success;
    for id in ids.into_iter().map(RequestId) {
        let said = match verb {
            Verb::Retry => match desk.retry(id).await? {
                Retried::Due => Ok(format!("request {id} is due now\n")),
                Retried::Overtaken { by } => {
                    Err(format!("request {id} stays dead: request {by} is newer and under way"))
                }
                Retried::Unknown => Err(format!("request {id} does not exist or is finished")),
            },
            Verb::Discard if desk.discard(id).await? => Ok(format!("request {id} is given up\n")),
            Verb::Discard => Err(format!("request {id} does not exist, is finished, or is being delivered now")),
        };
        match said {
            Ok(done) => output::data(&done)?,
            Err(why) => {
                output::talk(&why);
                exit = Exit::Failure;
            }
        }
    }
    Ok(exit)
}

async fn dead(desk: &Desk, integration: Option<IntegrationName>) -> anyhow::Result<Vec<i64>> {
    let states = vec![RequestState::Dead, RequestState::DeadPending];
    let requests = desk.list(&QueueFilter { integration, states, limit: 1000 }).await?;
    Ok(requests.iter().map(|request: &RequestView| request.id.0).collect())
}

fn no_such(id: RequestId) -> report::Told {
    report::Told::new(Class::Missing, "queue.missing", format!("there is no request {id}"))
        .hint("`tandem queue list` shows what waits; add --state done,discarded for what is finished")
}
