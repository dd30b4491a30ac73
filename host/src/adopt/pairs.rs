//! Which ticket an incident has, when several were made.

use std::collections::BTreeMap;

use super::{Doubt, Tickets};
use crate::domain::id::IncidentId;
use crate::domain::ticket::{Phase, TicketState};

/// One ticket is the one. Of several, it is the one that the incident's tag leads to, or else the only one that is open.
pub(super) fn choose(tickets: Tickets, tags: &BTreeMap<IncidentId, String>) -> (Vec<TicketState>, Vec<Doubt>) {
    let (mut found, mut doubts) = (Vec::new(), Vec::new());
    for (incident, mut all) in tickets {
        if all.len() > 1 {
            let tag = tags.get(&incident).map_or("", String::as_str);
            let named = all.iter().position(|found| tag.contains(found.ticket.sys_id.as_str()));
            let Some(place) = named.or_else(|| only_open(&all)) else {
                let mut numbers: Vec<String> = all.into_iter().map(|found| found.ticket.number).collect();
                numbers.sort();
                doubts.push(Doubt::Several { incident, numbers });
                continue;
            };
            all = vec![all.swap_remove(place)];
        }
        found.append(&mut all);
    }
    (found, doubts)
}

fn only_open(all: &[TicketState]) -> Option<usize> {
    let mut open = all.iter().enumerate().filter(|(_, found)| found.phase() == Phase::Open);
    let (place, _) = open.next()?;
    open.next().is_none().then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SysId;
    use crate::domain::ticket::TicketRef;

    fn id(text: &str) -> IncidentId {
        IncidentId::new(text).unwrap()
    }

    fn ticket(incident: &str, digit: char, state: &str) -> TicketState {
        let sys_id = SysId::new(&digit.to_string().repeat(32)).unwrap();
        TicketState {
            ticket: TicketRef { number: format!("INC{digit}"), url: String::new(), sys_id },
            incident: id(incident),
            fields: BTreeMap::from([("state".to_owned(), state.to_owned())]),
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_tag_decides_between_several_then_the_only_open_one_and_nobody_guesses() {
        let tickets = Tickets::from([
            (id("a"), vec![ticket("a", '1', "2")]),
            (id("b"), vec![ticket("b", '2', "2"), ticket("b", '3', "6")]),
            (id("c"), vec![ticket("c", '4', "2"), ticket("c", '5', "1")]),
            (id("d"), vec![ticket("d", '6', "6"), ticket("d", '7', "2")]),
            (id("e"), vec![ticket("e", '8', "6"), ticket("e", '9', "6")]),
        ]);
        let tags = BTreeMap::from([(id("b"), format!("https://x/incident.do?sys_id={}", "3".repeat(32)))]);
        let (found, doubts) = choose(tickets, &tags);
        let numbers: Vec<_> = found.iter().map(|found| found.ticket.number.as_str()).collect();
        assert_eq!(numbers, ["INC1", "INC3", "INC7"]);
        let several = |incident: &str, numbers: [&str; 2]| Doubt::Several {
            incident: id(incident),
            numbers: numbers.map(str::to_owned).to_vec(),
        };
        assert_eq!(doubts, [several("c", ["INC4", "INC5"]), several("e", ["INC8", "INC9"])]);
    }
}
