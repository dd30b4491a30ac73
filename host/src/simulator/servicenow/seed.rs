//! What an instance holds before anybody has written to it: people, groups, things, choices, its own dictionary.
//!
//! Invented data in the style of the vendor's demo instance. Called once when a simulator starts and by reset.
//! Holds always: ids of seed rows never change, so that scenarios can name them.

use std::collections::HashMap;
use std::sync::Arc;

use super::row::{Row, SysId};
use super::world::World;

const SEEDED_AT: i64 = 1_735_689_600;

pub(crate) const ADMIN: &str = "6816f79cc0a8016401c5a33be04be441";
pub(crate) const INTEGRATION: &str = "5136503cc611227c0183e96598c4f706";
const ABEL: &str = "62826bf03710200044e0bfc8bcbe5df1";
const SERVICE_DESK: &str = "d625dccec0a8016700a222a0f7900d06";
const DATABASE: &str = "287ee6fea9fe198100ada7950d0b1b73";
const NETWORK: &str = "287ebd7da9fe198100f92cc8d1d2154e";

const USERS: &[(&str, &str, &str, &str)] = &[
    (ADMIN, "admin", "System", "Administrator"),
    (ABEL, "abel.tuter", "Abel", "Tuter"),
    ("46d44a23a9fe19810012d100cca80666", "beth.anglin", "Beth", "Anglin"),
    ("5137153cc611227c000bbd1bd8cd2005", "fred.luddy", "Fred", "Luddy"),
    ("681b365ec0a80164000fb0b05854a0cd", "itil", "ITIL", "User"),
    ("681ccaf9c0a8016400b98a06818d57c7", "joe.employee", "Joe", "Employee"),
    ("9ee1b13dc6112271007f9d0efdb69cd0", "don.goodliffe", "Don", "Goodliffe"),
    ("77ad8176731313005754660c4cf6a7de", "opened.by", "Opened", "By"),
];

const GROUPS: &[(&str, &str)] = &[
    (SERVICE_DESK, "Service Desk"),
    (DATABASE, "Database"),
    (NETWORK, "Network"),
    ("8a4dde73c6112278017a6a4baf547aa7", "Software"),
    ("287ee6fea9fe198100ada7950d0b1b74", "Hardware"),
    ("8a5055c9c61122780043563ef53438e3", "IT Security"),
    ("b85d44954a3623120004689b2d5dd60a", "CAB Approval"),
    ("d625dccec0a8016700a222a0f7900d07", "Site Reliability"),
];

const CIS: &[(&str, &str, &str)] = &[
    ("cmdb_ci_linux_server", "srv1-us1-prod", "26da329f0a0a0bb400f69d8159bc753d"),
    ("cmdb_ci_linux_server", "srv2-us1-prod", "26da329f0a0a0bb400f69d8159bc753e"),
    ("cmdb_ci_linux_server", "db-primary-1", "26da329f0a0a0bb400f69d8159bc753f"),
    ("cmdb_ci_linux_server", "host1", "26da329f0a0a0bb400f69d8159bc7540"),
    ("cmdb_ci_win_server", "prdapp6.example.net", "26da329f0a0a0bb400f69d8159bc7541"),
    ("cmdb_ci_netgear", "core-switch-1", "26da329f0a0a0bb400f69d8159bc7542"),
    ("cmdb_ci_appl", "payments-api", "26da329f0a0a0bb400f69d8159bc7543"),
    ("cmdb_ci_db_instance", "orders-db", "26da329f0a0a0bb400f69d8159bc7544"),
    ("cmdb_ci_service", "Payments", "27d32778c0a8000b00db970eeaa60f16"),
    ("cmdb_ci_service", "Email", "27d32778c0a8000b00db970eeaa60f17"),
];

/// Table, column, and the values with their labels.
type ChoiceList = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const CHOICES: &[ChoiceList] = &[
    (
        "incident",
        "state",
        &[("1", "New"), ("2", "In Progress"), ("3", "On Hold"), ("6", "Resolved"), ("7", "Closed"), ("8", "Canceled")],
    ),
    (
        "incident",
        "incident_state",
        &[("1", "New"), ("2", "In Progress"), ("3", "On Hold"), ("6", "Resolved"), ("7", "Closed"), ("8", "Canceled")],
    ),
    (
        "incident",
        "hold_reason",
        &[("1", "Awaiting Caller"), ("3", "Awaiting Problem"), ("4", "Awaiting Vendor"), ("5", "Awaiting Change")],
    ),
    (
        "incident",
        "close_code",
        &[
            ("Solution provided", "Solution provided"),
            ("Resolved by caller", "Resolved by caller"),
            ("Workaround provided", "Workaround provided"),
            ("Duplicate", "Duplicate"),
            ("Resolved by change", "Resolved by change"),
            ("User error", "User error"),
            ("Known error", "Known error"),
            ("Resolved by problem", "Resolved by problem"),
            ("Resolved by request", "Resolved by request"),
            ("No resolution provided", "No resolution provided"),
        ],
    ),
    (
        "incident",
        "category",
        &[
            ("inquiry", "Inquiry / Help"),
            ("software", "Software"),
            ("hardware", "Hardware"),
            ("network", "Network"),
            ("database", "Database"),
        ],
    ),
    ("incident", "severity", &[("1", "1 - High"), ("2", "2 - Medium"), ("3", "3 - Low")]),
    ("task", "impact", &[("1", "1 - High"), ("2", "2 - Medium"), ("3", "3 - Low")]),
    ("task", "urgency", &[("1", "1 - High"), ("2", "2 - Medium"), ("3", "3 - Low")]),
    (
        "task",
        "priority",
        &[("1", "1 - Critical"), ("2", "2 - High"), ("3", "3 - Moderate"), ("4", "4 - Low"), ("5", "5 - Planning")],
    ),
    (
        "task",
        "state",
        &[
            ("-5", "Pending"),
            ("1", "Open"),
            ("2", "Work in Progress"),
            ("3", "Closed Complete"),
            ("4", "Closed Incomplete"),
            ("7", "Closed Skipped"),
        ],
    ),
    ("task", "escalation", &[("0", "Normal"), ("1", "Moderate"), ("2", "High"), ("3", "Overdue")]),
    ("task", "notify", &[("1", "Do Not Notify"), ("2", "Send Email"), ("3", "Telephone")]),
    (
        "task",
        "approval",
        &[
            ("not requested", "Not Yet Requested"),
            ("requested", "Requested"),
            ("approved", "Approved"),
            ("rejected", "Rejected"),
        ],
    ),
    (
        "task",
        "upon_approval",
        &[("proceed", "Proceed to Next Task"), ("do_nothing", "Wait for a User to Close this task")],
    ),
    ("task", "upon_reject", &[("cancel", "Cancel all future Tasks"), ("goto", "Go to a previous Task")]),
    (
        "task",
        "contact_type",
        &[
            ("email", "Email"),
            ("phone", "Phone"),
            ("self-service", "Self-service"),
            ("walk-in", "Walk-in"),
            ("monitoring", "Monitoring"),
            ("virtual_agent", "Virtual Agent"),
        ],
    ),
    (
        "problem",
        "state",
        &[
            ("101", "New"),
            ("102", "Assess"),
            ("103", "Root Cause Analysis"),
            ("104", "Fix in Progress"),
            ("106", "Resolved"),
            ("107", "Closed"),
        ],
    ),
    (
        "problem",
        "problem_state",
        &[
            ("101", "New"),
            ("102", "Assess"),
            ("103", "Root Cause Analysis"),
            ("104", "Fix in Progress"),
            ("106", "Resolved"),
            ("107", "Closed"),
        ],
    ),
    (
        "problem",
        "resolution_code",
        &[
            ("fix_applied", "Fix Applied"),
            ("risk_accepted", "Risk Accepted"),
            ("duplicate", "Duplicate"),
            ("canceled", "Canceled"),
        ],
    ),
    ("problem_task", "state", &[("151", "New"), ("152", "Assess"), ("154", "Work in Progress"), ("157", "Closed")]),
    (
        "change_request",
        "state",
        &[
            ("-5", "New"),
            ("-4", "Assess"),
            ("-3", "Authorize"),
            ("-2", "Scheduled"),
            ("-1", "Implement"),
            ("0", "Review"),
            ("3", "Closed"),
            ("4", "Canceled"),
        ],
    ),
    ("change_request", "type", &[("standard", "Standard"), ("normal", "Normal"), ("emergency", "Emergency")]),
    ("change_request", "risk", &[("2", "High"), ("3", "Moderate"), ("4", "Low")]),
    (
        "change_request",
        "close_code",
        &[
            ("successful", "Successful"),
            ("successful_issues", "Successful with issues"),
            ("unsuccessful", "Unsuccessful"),
        ],
    ),
    (
        "change_task",
        "state",
        &[("-5", "Pending"), ("1", "Open"), ("2", "In Progress"), ("3", "Closed"), ("4", "Canceled")],
    ),
    (
        "cmdb_ci",
        "install_status",
        &[
            ("1", "Installed"),
            ("2", "On Order"),
            ("3", "In Maintenance"),
            ("4", "Pending Install"),
            ("5", "Pending Repair"),
            ("6", "In Stock"),
            ("7", "Retired"),
            ("8", "Stolen"),
            ("100", "Absent"),
        ],
    ),
    (
        "cmdb_ci",
        "operational_status",
        &[("1", "Operational"), ("2", "Non-Operational"), ("3", "Repair in Progress"), ("6", "Retired")],
    ),
];

const PROPERTIES: &[(&str, &str)] = &[
    ("glide.buildtag", "glide-australia-02-11-2026__patch1"),
    ("glide.buildname", "Australia"),
    ("glide.war", "glide-australia-02-11-2026__patch1.zip"),
    ("glide.ui.autoclose.time", "7"),
    ("com.snc.incident.autoclose.basedon.resolved_at", "true"),
    ("glide.invalid_query.returns_no_rows", "false"),
    ("glide.sys.default.tz", "UTC"),
    ("glide.sys.date_format", "yyyy-MM-dd"),
    ("glide.sys.time_format", "HH:mm:ss"),
    ("instance_name", "simulator"),
];

/// Fills an empty world. `user` is the integration user's name.
pub(crate) fn fill(world: &mut World, user: &str) {
    let mut seeder = Seeder { world, by: Arc::from("admin"), next: 0 };
    for (id, name, first, last) in USERS {
        seeder.user(id, name, first, last);
    }
    if !USERS.iter().any(|(_, name, ..)| *name == user) {
        seeder.user(INTEGRATION, user, "Integration", "User");
    }
    for (id, name) in GROUPS {
        seeder.row("sys_user_group", Some(id), &[("name", *name), ("manager", ADMIN), ("email", "group@example.com")]);
        seeder.row("sys_user_grmember", None, &[("group", *id), ("user", ABEL)]);
    }
    for (table, name, id) in CIS {
        let fqdn = if name.contains('.') { (*name).to_owned() } else { format!("{name}.example.net") };
        seeder.row(
            table,
            Some(id),
            &[
                ("name", *name),
                ("fqdn", &fqdn),
                ("host_name", *name),
                ("support_group", SERVICE_DESK),
                ("sys_class_name", table),
            ],
        );
    }
    for (id, name) in [
        ("31bea3d53790200044e0bfc8bcbe5dec", "ACME North America"),
        ("81fca4cbac1d55eb355b4b6db0e3c80f", "ACME Europe"),
    ] {
        seeder.row("core_company", Some(id), &[("name", name)]);
    }
    seeder.row(
        "cmn_location",
        Some("108486c7c611227500b093211aa88dcc"),
        &[("name", "100 South Charles Street, Baltimore,MD"), ("city", "Baltimore")],
    );
    seeder.row("cmn_department", Some("221f79b7c6112284005d646b76ab978c"), &[("name", "IT"), ("id", "0000206")]);
    for (table, element, list) in CHOICES {
        for (sequence, (value, label)) in list.iter().enumerate() {
            seeder.row(
                "sys_choice",
                None,
                &[
                    ("name", *table),
                    ("element", *element),
                    ("value", *value),
                    ("label", *label),
                    ("sequence", &sequence.to_string()),
                ],
            );
        }
    }
    for (name, value) in PROPERTIES {
        seeder.row("sys_properties", None, &[("name", *name), ("value", *value)]);
    }
    for name in ["Depends on::Used by", "Runs on::Runs", "Contains::Contained by", "Hosted on::Hosts"] {
        seeder.row("cmdb_rel_type", None, &[("name", name)]);
    }
    seeder.row(
        "sc_cat_item",
        None,
        &[("name", "Standard Laptop"), ("short_description", "A laptop for everyday work")],
    );
    for role in ["admin", "itil", "sn_incident_read", "sn_incident_write", "x_bip_panda_user"] {
        seeder.row("sys_user_role", None, &[("name", role)]);
    }
    seeder.row(
        "sys_plugins",
        None,
        &[("name", "Incident"), ("source", "com.snc.incident"), ("active", "active"), ("version", "1.0.0")],
    );
    seeder.dictionary();
    world.reload_choices();
}

/// BigPanda's own application, installed from the store, with its incidents module and its job active.
pub(crate) fn original(world: &mut World) {
    let mut seeder = Seeder { world, by: Arc::from("admin"), next: 1 << 64 };
    let application = [("name", "BigPanda"), ("scope", "x_bip_panda"), ("version", "2.9.4")];
    seeder.row("sys_scope", None, &application);
    seeder.row("sys_store_app", None, &application);
    for (name, value) in [
        ("x_bip_panda.incidentsActive", "true"),
        ("x_bip_panda.reopenServiceNow", "true"),
        ("x_bip_panda.reopenWindow", "30"),
    ] {
        seeder.row("sys_properties", None, &[("name", name), ("value", value)]);
    }
    let job = [("name", "Retrieve Incidents"), ("active", "true"), ("run_type", "periodically")];
    seeder.row("sysauto_script", None, &job);
}

struct Seeder<'w> {
    world: &'w mut World,
    by: Arc<str>,
    next: u128,
}

impl Seeder<'_> {
    fn user(&mut self, id: &str, user_name: &str, first: &str, last: &str) {
        self.row(
            "sys_user",
            Some(id),
            &[
                ("user_name", user_name),
                ("first_name", first),
                ("last_name", last),
                ("name", &format!("{first} {last}")),
                ("email", &format!("{}@example.com", user_name.replace(' ', "."))),
                ("time_zone", "UTC"),
            ],
        );
    }

    fn row(&mut self, table: &str, id: Option<&str>, cells: &[(&str, &str)]) -> Option<SysId> {
        self.next += 1;
        // Ids of nameless seed rows count up from a fixed start.
        let id = id.and_then(SysId::parse).unwrap_or(SysId(0xa5eed << 108 | self.next));
        let class = self.world.schema.table(table)?;
        let (class_id, heap) = (class.id, class.heap);
        let mut row = Row::new(id, class_id, SEEDED_AT, &self.by);
        for (name, text) in cells {
            if let Some(column) = self.world.schema.named(class, name)
                && self.world.schema.default_of(class_id, column) != *text
                && *name != "sys_class_name"
            {
                row.put(column.id, Some((*text).into()));
            }
        }
        self.world.heap_mut(heap)?.insert(row);
        Some(id)
    }

    /// `sys_db_object`, `sys_dictionary` and `sys_documentation` describe the tables themselves.
    fn dictionary(&mut self) {
        let classes: Vec<_> = self.world.schema.classes().to_vec();
        let mut ids: HashMap<super::schema::ClassId, String> = HashMap::new();
        for class in &classes {
            let parent = class.parent.and_then(|parent| ids.get(&parent)).cloned().unwrap_or_default();
            let id = self.row(
                "sys_db_object",
                None,
                &[
                    ("name", &class.name),
                    ("label", &class.label),
                    ("super_class", &parent),
                    ("is_extendable", if class.family.len() > 1 { "true" } else { "false" }),
                ],
            );
            if let Some(id) = id {
                ids.insert(class.id, id.to_string());
            }
            self.row(
                "sys_dictionary",
                None,
                &[("name", &*class.name), ("column_label", &*class.label), ("internal_type", "collection")],
            );
            let own: Vec<_> =
                self.world.schema.columns_of(class).filter(|column| column.table == class.id).cloned().collect();
            for column in own {
                self.column(&class.name, &column, &class.display);
            }
        }
    }

    fn column(&mut self, table: &str, column: &super::schema::Column, display: &str) {
        self.row(
            "sys_dictionary",
            None,
            &[
                ("name", table),
                ("element", &column.name),
                ("column_label", &column.label),
                ("internal_type", column.kind.internal_type()),
                ("reference", &column.reference),
                ("max_length", &column.max_length.to_string()),
                ("default_value", &column.default),
                ("choice", if column.choice { "3" } else { "0" }),
                ("read_only", if column.read_only { "true" } else { "false" }),
                ("display", if &*column.name == display { "true" } else { "false" }),
            ],
        );
        self.row("sys_documentation", None, &[("name", table), ("element", &column.name), ("label", &column.label)]);
    }
}

/// Adds the dictionary row of a column that was added while running.
pub(crate) fn describe_column(world: &mut World, table: &str, name: &str) {
    let Some(class) = world.schema.table(table) else { return };
    let display = class.display.clone();
    let Some(column) = world.schema.named(class, name).cloned() else { return };
    let next = u128::from(column.max_length) << 32 | world.schema.classes().len() as u128;
    let mut seeder = Seeder {
        world,
        by: Arc::from("admin"),
        next: next << 40 | u128::from(crate::simulator::random::mix(name.len() as u64 ^ hash(name))) >> 24,
    };
    seeder.column(table, &column, &display);
}

/// Removes the dictionary rows of a column.
pub(crate) fn forget_column(world: &mut World, table: &str, name: &str) {
    for dictionary in ["sys_dictionary", "sys_documentation"] {
        let Some(class) = world.schema.table(dictionary) else { continue };
        let heap_id = class.heap;
        let Some(heap) = world.heap(heap_id) else { continue };
        let gone: Vec<_> = heap
            .iter()
            .filter(|(_, row)| world.named_text(row, "name") == table && world.named_text(row, "element") == name)
            .map(|(no, _)| no)
            .collect();
        if let Some(heap) = world.heap_mut(heap_id) {
            for no in gone {
                heap.remove(no);
            }
        }
    }
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
