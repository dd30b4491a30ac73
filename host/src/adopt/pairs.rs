//! Which ticket an incident has, when the original made several.

use std::collections::BTreeMap;

use super::{Doubt, Found, Tickets};
use crate::domain::id::IncidentId;

/// One ticket is the one. Of several, it is the one that the incident's tag leads to.
pub(super) fn choose(tickets: Tickets, tags: &BTreeMap<IncidentId, String>) -> (Vec<Found>, Vec<Doubt>) {
    let (mut found, mut doubts) = (Vec::new(), Vec::new());
    for (incident, mut all) in tickets {
        if all.len() > 1 {
            let tag = tags.get(&incident).map_or("", String::as_str);
            let named = all.iter().position(|ticket| tag.contains(ticket.sys_id.as_str()));
            let Some(place) = named else {
                let mut numbers: Vec<String> = all.into_iter().map(|ticket| ticket.number).collect();
                numbers.sort();
                doubts.push(Doubt::Several { incident, numbers });
                continue;
            };
            all = vec![all.swap_remove(place)];
        }
        found.extend(all.into_iter().map(|ticket| Found { incident: incident.clone(), ticket }));
    }
    (found, doubts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SysId;
    use crate::domain::ticket::TicketRef;

    fn ticket(digit: char) -> TicketRef {
        let sys_id = SysId::new(&digit.to_string().repeat(32)).unwrap();
        TicketRef { number: format!("INC{digit}"), url: String::new(), sys_id }
    }

    #[test]
    fn the_tag_decides_between_several_and_nobody_guesses() {
        let id = |text: &str| IncidentId::new(text).unwrap();
        let tickets = Tickets::from([
            (id("a"), vec![ticket('1')]),
            (id("b"), vec![ticket('2'), ticket('3')]),
            (id("c"), vec![ticket('4'), ticket('5')]),
        ]);
        let tags = BTreeMap::from([(id("b"), format!("https://x/incident.do?sys_id={}", "3".repeat(32)))]);
        let (found, doubts) = choose(tickets, &tags);
        let numbers: Vec<_> = found.iter().map(|found| found.ticket.number.as_str()).collect();
        assert_eq!(numbers, ["INC1", "INC3"]);
        let numbers = vec!["INC4".to_owned(), "INC5".to_owned()];
        assert_eq!(doubts, [Doubt::Several { incident: id("c"), numbers }]);
    }
}
