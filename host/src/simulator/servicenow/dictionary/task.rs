//! `task` and the tables that extend it.
//!
//! Data only. Part of the dictionary.

use super::{ColumnDef, Kind, TableDef, date_time, duration, flag, integer, journal, reference, table, text};

const TASK: &[ColumnDef] = &[
    text("number", "Number", 40).indexed(),
    integer("state", "State").choice().default("1"),
    flag("active", "Active", "true"),
    integer("priority", "Priority").choice().default("4"),
    integer("impact", "Impact").choice().default("3"),
    integer("urgency", "Urgency").choice().default("3"),
    text("short_description", "Short description", 160),
    text("description", "Description", 4_000),
    reference("assigned_to", "Assigned to", "sys_user"),
    reference("assignment_group", "Assignment group", "sys_user_group"),
    reference("opened_by", "Opened by", "sys_user"),
    date_time("opened_at", "Opened"),
    reference("closed_by", "Closed by", "sys_user"),
    date_time("closed_at", "Closed"),
    text("close_notes", "Close notes", 4_000),
    reference("cmdb_ci", "Configuration item", "cmdb_ci"),
    reference("business_service", "Service", "cmdb_ci_service"),
    reference("service_offering", "Service offering", "service_offering"),
    reference("company", "Company", "core_company"),
    reference("location", "Location", "cmn_location"),
    reference("parent", "Parent", "task").indexed(),
    text("correlation_id", "Correlation ID", 100).indexed(),
    text("correlation_display", "Correlation display", 100),
    text("contact_type", "Contact type", 40).choice(),
    journal("comments", "Additional comments"),
    journal("work_notes", "Work notes"),
    ColumnDef::new("comments_and_work_notes", "Comments and Work notes", Kind::JournalList, 4_000).read_only(),
    text("work_notes_list", "Work notes list", 4_000),
    text("watch_list", "Watch list", 4_000),
    text("additional_assignee_list", "Additional assignee list", 4_000),
    text("group_list", "Group list", 4_000),
    text("approval", "Approval", 40).choice().default("not requested"),
    text("approval_history", "Approval history", 4_000),
    date_time("approval_set", "Approval set"),
    text("upon_approval", "Upon approval", 40).choice().default("proceed"),
    text("upon_reject", "Upon reject", 40).choice().default("cancel"),
    integer("escalation", "Escalation").choice().default("0"),
    integer("notify", "Notify").choice().default("1"),
    integer("reassignment_count", "Reassignment count").default("0"),
    integer("order", "Order"),
    flag("made_sla", "Made SLA", "true"),
    flag("knowledge", "Knowledge", "false"),
    date_time("sla_due", "SLA due"),
    date_time("due_date", "Due date"),
    date_time("expected_start", "Expected start"),
    date_time("work_start", "Actual start"),
    date_time("work_end", "Actual end"),
    date_time("activity_due", "Activity due"),
    date_time("follow_up", "Follow up"),
    duration("time_worked", "Time worked"),
    duration("business_duration", "Business duration"),
    duration("calendar_duration", "Duration"),
    text("delivery_plan", "Delivery plan", 32),
    text("delivery_task", "Delivery task", 32),
    reference("universal_request", "Universal Request", "task"),
    text("rejection_goto", "Rejection goto", 32),
    text("wf_activity", "Workflow activity", 32),
    text("skills", "Skills", 4_000),
    text("user_input", "User input", 4_000),
    text("contract", "Contract", 32),
    text("route_reason", "Transfer reason", 40),
    text("task_effective_number", "Effective number", 40),
    reference("sys_domain", "Domain", "sys_user_group").default("global"),
    text("sys_domain_path", "Domain Path", 255).default("/"),
];

const INCIDENT: &[ColumnDef] = &[
    integer("incident_state", "Incident state").choice().default("1"),
    reference("caller_id", "Caller", "sys_user"),
    text("category", "Category", 40).choice().default("inquiry"),
    text("subcategory", "Subcategory", 40).choice(),
    integer("severity", "Severity").choice().default("3"),
    integer("hold_reason", "On hold reason").choice(),
    text("close_code", "Resolution code", 40).choice(),
    reference("resolved_by", "Resolved by", "sys_user"),
    date_time("resolved_at", "Resolved"),
    integer("reopen_count", "Reopen count").default("0"),
    date_time("reopened_time", "Last reopened at"),
    reference("reopened_by", "Last reopened by", "sys_user"),
    reference("parent_incident", "Parent Incident", "incident").indexed(),
    integer("child_incidents", "Child Incidents").default("0"),
    reference("problem_id", "Problem", "problem"),
    reference("rfc", "Change Request", "change_request"),
    reference("caused_by", "Caused by Change", "change_request"),
    integer("business_impact", "Business impact"),
    integer("business_stc", "Business resolve time"),
    integer("calendar_stc", "Resolve time"),
    text("cause", "Probable cause", 4_000),
    reference("origin_id", "Origin", "task"),
    text("origin_table", "Origin table", 80),
];

/// What BigPanda's own application adds; the host writes them only where the table has them.
pub(super) const BIGPANDA: &[ColumnDef] = &[
    text("u_bp_incident_id", "BigPanda Incident ID", 100).indexed(),
    text("u_bp_incident_status", "BigPanda Incident Status", 40),
    text("u_bp_alerts_statuses", "BigPanda Alerts Statuses", 4_000),
    integer("u_bp_alerts_count", "BigPanda Alerts Count"),
    integer("u_bp_active_alerts_count", "BigPanda Active Alerts Count"),
    text("u_bp_incident_url", "BigPanda Incident Link", 1_024),
    text("u_bp_timeline_url", "BigPanda Timeline Link", 1_024),
    text("u_bp_preview_url", "BigPanda Preview Link", 1_024),
    text("u_bp_event_type", "BigPanda Event Type", 40),
    text("u_bp_environment", "BigPanda Environment", 255),
    text("u_bp_environment_id", "BigPanda Environment ID", 40),
    text("u_bp_sender", "BigPanda Sender", 255),
    text("u_bp_incident_json", "BigPanda Incident JSON", 1_000_000),
];

/// The column that BigPanda's own application adds to `incident`, with the incident's id.
pub(super) const ORIGINAL: &[ColumnDef] = &[text("x_bip_panda_bigpanda_id", "BigPanda ID", 100).indexed()];

const PROBLEM: &[ColumnDef] = &[
    integer("problem_state", "Problem state").choice().default("101"),
    flag("known_error", "Known error", "false"),
    text("workaround", "Workaround", 4_000),
    text("cause_notes", "Cause notes", 4_000),
    text("fix_notes", "Fix notes", 4_000),
    text("resolution_code", "Resolution code", 40).choice(),
    text("category", "Category", 40).choice(),
    text("subcategory", "Subcategory", 40).choice(),
    reference("first_reported_by_task", "First reported by", "task"),
    reference("rfc", "Change request", "change_request"),
    reference("duplicate_of", "Duplicate of", "problem"),
    integer("related_incidents", "Related Incidents").default("0"),
    reference("resolved_by", "Resolved by", "sys_user"),
    date_time("resolved_at", "Resolved"),
    integer("reopen_count", "Reopen count").default("0"),
];

const CHANGE: &[ColumnDef] = &[
    text("type", "Type", 40).choice().default("normal"),
    integer("risk", "Risk").choice().default("3"),
    text("category", "Category", 40).choice().default("Other"),
    text("phase", "Phase", 40).choice().default("requested"),
    text("phase_state", "Phase state", 40).choice().default("open"),
    date_time("start_date", "Planned start date"),
    date_time("end_date", "Planned end date"),
    reference("requested_by", "Requested by", "sys_user"),
    text("justification", "Justification", 4_000),
    text("implementation_plan", "Implementation plan", 4_000),
    text("backout_plan", "Backout plan", 4_000),
    text("test_plan", "Test plan", 4_000),
    text("risk_impact_analysis", "Risk and impact analysis", 4_000),
    text("reason", "Reason", 40),
    text("close_code", "Close code", 40).choice(),
    text("conflict_status", "Conflict status", 40).default("Not Run"),
    flag("cab_required", "CAB required", "false"),
    flag("on_hold", "On hold", "false"),
    text("on_hold_reason", "On hold reason", 4_000),
    flag("unauthorized", "Unauthorized", "false"),
    flag("outside_maintenance_schedule", "Outside maintenance schedule", "false"),
    text("chg_model", "Model", 32),
    text("std_change_producer_version", "Standard Change Template version", 32),
];

const REQUEST: &[ColumnDef] = &[
    text("request_state", "Request state", 40).choice().default("requested"),
    reference("requested_for", "Requested for", "sys_user"),
    text("price", "Price", 40),
    text("stage", "Stage", 40).choice().default("requested"),
    text("special_instructions", "Special instructions", 4_000),
];

const REQUESTED_ITEM: &[ColumnDef] = &[
    reference("request", "Request", "sc_request").indexed(),
    reference("requested_for", "Requested for", "sys_user"),
    text("cat_item", "Item", 32),
    integer("quantity", "Quantity").default("1"),
    text("price", "Price", 40),
    text("stage", "Stage", 80).choice().default("waiting_for_approval"),
];

const CATALOG_TASK: &[ColumnDef] = &[
    reference("request", "Request", "sc_request").indexed(),
    reference("request_item", "Request item", "sc_req_item").indexed(),
];

pub(super) const TABLES: &[TableDef] = &[
    table("task", "Task", "number", TASK).numbered("TASK"),
    table("incident", "Incident", "number", INCIDENT).extends("task").numbered("INC").defaults(&[("priority", "5")]),
    table("problem", "Problem", "number", PROBLEM)
        .extends("task")
        .numbered("PRB")
        .defaults(&[("state", "101"), ("priority", "5")]),
    table("change_request", "Change Request", "number", CHANGE)
        .extends("task")
        .numbered("CHG")
        .defaults(&[("state", "-5")]),
    table("sc_request", "Request", "number", REQUEST).extends("task").numbered("REQ"),
    table("sc_req_item", "Requested Item", "number", REQUESTED_ITEM).extends("task").numbered("RITM"),
    table("sc_task", "Catalog Task", "number", CATALOG_TASK).extends("task").numbered("SCTASK"),
    table(
        "sc_category",
        "Catalog Category",
        "title",
        &[text("title", "Title", 100), text("description", "Description", 4_000), flag("active", "Active", "true")],
    ),
    table(
        "sc_cat_item",
        "Catalog Item",
        "name",
        &[
            text("name", "Name", 100).indexed(),
            text("short_description", "Short description", 200),
            text("description", "Description", 8_000),
            text("price", "Price", 40),
            reference("category", "Category", "sc_category"),
            flag("active", "Active", "true"),
        ],
    ),
    table(
        "std_change_producer_version",
        "Standard Change Template Version",
        "name",
        &[text("name", "Name", 100).indexed(), text("version", "Version", 40), flag("active", "Active", "true")],
    ),
    table(
        "sysapproval_approver",
        "Approval",
        "sysapproval",
        &[
            reference("sysapproval", "Approval for", "task").indexed(),
            reference("approver", "Approver", "sys_user"),
            text("state", "State", 40).default("requested"),
        ],
    ),
    table(
        "task_sla",
        "Task SLA",
        "task",
        &[
            reference("task", "Task", "task").indexed(),
            text("stage", "Stage", 40).default("in_progress"),
            flag("has_breached", "Has breached", "false"),
        ],
    ),
    table("incident_task", "Incident Task", "number", &[reference("incident", "Incident", "incident").indexed()])
        .extends("task")
        .numbered("ITASK"),
    table(
        "problem_task",
        "Problem Task",
        "number",
        &[
            reference("problem", "Problem", "problem").indexed(),
            text("problem_task_type", "Problem task type", 40).choice().default("general"),
            text("close_code", "Close code", 40).choice(),
            text("cause_code", "Cause code", 40).choice(),
            text("cause_notes", "Cause notes", 4_000),
            reference("duplicate_of", "Duplicate of", "problem_task"),
        ],
    )
    .extends("task")
    .numbered("PTASK")
    .defaults(&[("state", "151")]),
    table(
        "change_task",
        "Change Task",
        "number",
        &[
            reference("change_request", "Change request", "change_request").indexed(),
            text("change_task_type", "Type", 40).choice().default("planning"),
            date_time("planned_start_date", "Planned start date"),
            date_time("planned_end_date", "Planned end date"),
            text("close_code", "Close code", 40).choice(),
            flag("on_hold", "On hold", "false"),
            text("on_hold_reason", "On hold reason", 4_000),
            text("created_from", "Created from", 40),
        ],
    )
    .extends("task")
    .numbered("CTASK")
    .defaults(&[("state", "-5")]),
];
