//! Pairs whose tickets somebody else made become links.

use rusqlite::params;

use super::fail::Fail;
use super::journal;
use super::rows::{LinkRow, find_link};
use super::writer::State;
use crate::domain::id::{EnvironmentId, LinkId};
use crate::domain::link::LinkState;
use crate::domain::time::Timestamp;
use crate::store::{Adoption, NewLink};

impl State {
    pub(super) fn adopt(&mut self, links: &[NewLink], now: Timestamp) -> Result<Vec<Adoption>, Fail> {
        links.iter().map(|new| self.adopt_one(new, now)).collect()
    }

    fn adopt_one(&mut self, new: &NewLink, now: Timestamp) -> Result<Adoption, Fail> {
        let id = match find_link(&self.db, &new.integration, &new.incident)? {
            Some(link) => match &link.ticket {
                Some(ticket) if ticket.sys_id == new.ticket.sys_id => return Ok(Adoption::Same),
                Some(ticket) => return Ok(Adoption::Other(ticket.clone())),
                None if link.state != LinkState::New || self.is_busy(link.id)? => return Ok(Adoption::Busy),
                None => link.id,
            },
            None => self.bear_adopted(new)?,
        };
        let Some(mut link) = find_link(&self.db, &new.integration, &new.incident)? else {
            return Err(Fail::Row(format!("link {id} is gone")));
        };
        link.state = LinkState::Open;
        link.ticket = Some(new.ticket.clone());
        link.environment = link.environment.or_else(|| new.environment.clone());
        LinkRow::new(link)?.save(&self.db)?;
        let text = format!("The ticket {} was made by another integration and taken over.", new.ticket.number);
        journal::write(&self.db, id, now, &[journal::note("link.adopted", &text)])?;
        Ok(Adoption::Made)
    }

    fn bear_adopted(&mut self, new: &NewLink) -> Result<LinkId, Fail> {
        self.db
            .prepare_cached("INSERT INTO links (integration, incident, environment, revision) VALUES (?1, ?2, ?3, 0)")?
            .execute(params![
                new.integration.as_str(),
                new.incident.as_str(),
                new.environment.as_ref().map(EnvironmentId::as_str)
            ])?;
        self.ledger.totals.links += 1;
        Ok(LinkId(self.db.last_insert_rowid()))
    }

    /// Whether a request waits or is dead: it would make a ticket of its own.
    fn is_busy(&self, link: LinkId) -> Result<bool, Fail> {
        let mut open = self.db.prepare_cached("SELECT 1 FROM requests WHERE link = ?1 AND state < 4")?;
        Ok(open.exists([link.0])?)
    }
}
