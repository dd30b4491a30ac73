//! Where the parts of an event come from: the host's imports, or a fixture in a native test.

#[cfg(target_arch = "wasm32")]
pub(crate) use imported::Source;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use prepared::Source;

#[cfg(target_arch = "wasm32")]
mod imported {
    use crate::bindings::event as host;
    use crate::event::{EventKind, Head, ShareKind, Status};
    use crate::table::Table;

    /// The host.
    #[derive(Debug)]
    pub(crate) struct Source;

    macro_rules! parts {
        ($($part:ident)*) => {
            $(
                pub(crate) fn $part(&self) -> Table {
                    let packed = host::$part();
                    Table::new(packed.rows, packed.arena)
                }
            )*
        };
    }

    impl Source {
        parts! { alerts alert_tags incident_tags changes details overrides ticket settings proposed }

        pub(crate) fn primary_alert(&self) -> Option<u32> {
            host::primary_alert()
        }

        pub(crate) fn head(&self) -> Head {
            let head = host::head();
            Head {
                kind: match head.kind {
                    host::Kind::Shared => EventKind::Shared,
                    host::Kind::IncidentChanged => EventKind::IncidentChanged,
                    host::Kind::TicketChanged => EventKind::TicketChanged,
                },
                share_kind: ShareKind::parse(&head.share_kind),
                incident_id: head.incident_id,
                environment_id: head.environment_id,
                status: status(head.status),
                severity: status(head.severity),
                active: head.active,
                flapping: head.flapping,
                snoozed: head.snoozed,
                start: head.start,
                end: head.end,
                changed: head.changed,
                updated: head.updated,
                has_ticket: head.has_ticket,
            }
        }
    }

    fn status(status: host::Status) -> Status {
        match status {
            host::Status::Critical => Status::Critical,
            host::Status::Warning => Status::Warning,
            host::Status::Unknown => Status::Unknown,
            host::Status::Ok => Status::Ok,
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod prepared {
    use crate::event::Head;
    use crate::table::Table;

    /// Everything, made beforehand by a test.
    #[derive(Debug, Clone)]
    pub(crate) struct Source {
        pub(crate) head: Head,
        pub(crate) alerts: Table,
        pub(crate) alert_tags: Table,
        pub(crate) incident_tags: Table,
        pub(crate) changes: Table,
        pub(crate) details: Table,
        pub(crate) overrides: Table,
        pub(crate) ticket: Table,
        pub(crate) settings: Table,
        pub(crate) proposed: Table,
        pub(crate) primary_alert: Option<u32>,
    }

    macro_rules! parts {
        ($($part:ident)*) => {
            $(
                pub(crate) fn $part(&self) -> Table {
                    self.$part.clone()
                }
            )*
        };
    }

    impl Source {
        parts! { alerts alert_tags incident_tags changes details overrides ticket settings proposed }

        pub(crate) fn primary_alert(&self) -> Option<u32> {
            self.primary_alert
        }

        pub(crate) fn head(&self) -> Head {
            self.head.clone()
        }
    }
}
