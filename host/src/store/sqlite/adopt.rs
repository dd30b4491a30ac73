//! Pairs whose tickets the store doesn't know become links.

use rusqlite::{Connection, params};

use super::fail::Fail;
use super::journal;
use super::rows::{LinkRow, find_link, read_link};
use super::writer::State;
use crate::domain::id::{EnvironmentId, LinkId};
use crate::domain::link::{Link, LinkState};
use crate::domain::time::Timestamp;
use crate::store::{Adoption, NewLink};

impl State {
    pub(super) fn adopt(&mut self, links: &[NewLink], now: Timestamp) -> Result<Vec<Adoption>, Fail> {
        links.iter().map(|new| self.adopt_one(new, now)).collect()
    }

    fn adopt_one(&mut self, new: &NewLink, now: Timestamp) -> Result<Adoption, Fail> {
        let known = find_link(&self.db, &new.integration, &new.ticket.incident)?;
        let adoption = judge(&self.db, known.as_ref(), new)?;
        if adoption != Adoption::Made {
            return Ok(adoption);
        }
        let mut link = match known {
            Some(link) => link,
            None => self.bear_adopted(new)?,
        };
        link.found(&new.ticket);
        link.environment = link.environment.or_else(|| new.environment.clone());
        let id = link.id;
        LinkRow::new(link)?.save(&self.db)?;
        journal::write(&self.db, id, now, &[journal::note("link.adopted", &new.said)])?;
        Ok(Adoption::Made)
    }

    fn bear_adopted(&mut self, new: &NewLink) -> Result<Link, Fail> {
        self.db
            .prepare_cached("INSERT INTO links (integration, incident, environment, revision) VALUES (?1, ?2, ?3, 0)")?
            .execute(params![
                new.integration.as_str(),
                new.ticket.incident.as_str(),
                new.environment.as_ref().map(EnvironmentId::as_str)
            ])?;
        self.ledger.totals.links += 1;
        read_link(&self.db, LinkId(self.db.last_insert_rowid()))
    }
}

/// What would come of each pair, as the store is now.
pub(super) fn judge_all(db: &Connection, links: &[NewLink]) -> Result<Vec<Adoption>, Fail> {
    let judged = |new: &NewLink| {
        let known = find_link(db, &new.integration, &new.ticket.incident)?;
        judge(db, known.as_ref(), new)
    };
    links.iter().map(judged).collect()
}

fn judge(db: &Connection, known: Option<&Link>, new: &NewLink) -> Result<Adoption, Fail> {
    let Some(link) = known else { return Ok(Adoption::Made) };
    Ok(match &link.ticket {
        Some(ticket) if ticket.sys_id == new.ticket.ticket.sys_id => Adoption::Same,
        Some(ticket) => Adoption::Other(ticket.clone()),
        None if link.state != LinkState::New || is_busy(db, link.id)? => Adoption::Busy,
        None => Adoption::Made,
    })
}

/// Whether a request waits or is dead: it would make a ticket of its own.
fn is_busy(db: &Connection, link: LinkId) -> Result<bool, Fail> {
    let mut open = db.prepare_cached("SELECT 1 FROM requests WHERE link = ?1 AND state < 4")?;
    Ok(open.exists([link.0])?)
}
