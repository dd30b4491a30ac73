//! The platform's own tables: choices, dictionary, journals, attachments, audit, properties, import staging.
//!
//! Data only. Part of the dictionary. Rows of `sys_dictionary` and `sys_db_object` are made from the dictionary
//! itself when a simulator starts.

use super::{ColumnDef, TableDef, date_time, flag, integer, reference, table, text};

const ATTACHMENT: &[ColumnDef] = &[
    text("file_name", "File name", 100),
    text("table_name", "Table name", 80),
    text("table_sys_id", "Table sys ID", 32).indexed(),
    text("content_type", "Content type", 255),
    integer("size_bytes", "Size bytes"),
    integer("size_compressed", "Size compressed"),
    integer("chunk_size_bytes", "Chunk size bytes").default("700000"),
    flag("compressed", "Compressed", "true"),
    text("hash", "Hash", 64),
    text("state", "State", 40).default("available"),
    integer("image_width", "Image width"),
    integer("image_height", "Image height"),
    integer("average_image_color", "Average image color"),
    text("download_link", "Download link", 1_024),
];

const STAGING: &[ColumnDef] = &[
    text("u_bp_incident_id", "Incident ID", 100).indexed(),
    text("u_bp_incident_status", "Incident status", 40),
    text("u_bp_alerts_statuses", "Alerts statuses", 4_000),
    integer("u_bp_alerts_count", "Alerts count"),
    integer("u_bp_active_alerts_count", "Active alerts count"),
    text("u_bp_incident_url", "Incident URL", 1_024),
    text("u_bp_timeline_url", "Timeline URL", 1_024),
    text("u_bp_preview_url", "Preview URL", 1_024),
    text("u_bp_event_type", "Event type", 40),
    text("u_bp_environment", "Environment", 255),
    text("u_bp_environment_id", "Environment ID", 40),
    text("u_bp_sender", "Sender", 255),
    text("u_bp_incident_json", "Incident JSON", 1_000_000),
    text("short_description", "Short description", 160),
    text("description", "Description", 4_000),
    integer("impact", "Impact"),
    integer("urgency", "Urgency"),
    text("work_notes", "Work notes", 4_000),
];

const IMPORT_ROW: &[ColumnDef] = &[
    text("sys_import_set", "Set", 40),
    text("sys_import_state", "State", 40).default("pending"),
    text("sys_import_state_comment", "Comment", 1_000),
    text("sys_target_table", "Target table", 80),
    text("sys_target_sys_id", "Target record", 32),
    text("sys_transform_map", "Transform map", 80),
    integer("sys_import_row", "Row"),
];

pub(super) const TABLES: &[TableDef] = &[
    table(
        "sys_choice",
        "Choice",
        "label",
        &[
            text("name", "Table", 80).indexed(),
            text("element", "Element", 80).indexed(),
            text("label", "Label", 100),
            text("value", "Value", 60),
            integer("sequence", "Sequence"),
            flag("inactive", "Inactive", "false"),
            text("language", "Language", 3).default("en"),
            text("dependent_value", "Dependent value", 60),
            text("hint", "Hint", 255),
        ],
    ),
    table(
        "sys_dictionary",
        "Dictionary Entry",
        "column_label",
        &[
            text("name", "Table", 80).indexed(),
            text("element", "Column name", 80).indexed(),
            text("column_label", "Column label", 80),
            text("internal_type", "Type", 40),
            text("reference", "Reference", 80),
            integer("max_length", "Max length"),
            text("default_value", "Default value", 255),
            integer("choice", "Choice"),
            flag("mandatory", "Mandatory", "false"),
            flag("read_only", "Read only", "false"),
            flag("active", "Active", "true"),
            flag("display", "Display", "false"),
            flag("unique", "Unique", "false"),
            flag("array", "Array", "false"),
        ],
    ),
    table(
        "sys_db_object",
        "Table",
        "label",
        &[
            text("name", "Name", 80).indexed(),
            text("label", "Label", 80),
            reference("super_class", "Extends table", "sys_db_object"),
            flag("is_extendable", "Extensible", "false"),
            text("number_ref", "Auto number", 32),
            text("access", "Accessible from", 40).default("public"),
        ],
    ),
    table(
        "sys_documentation",
        "Field Label",
        "label",
        &[
            text("name", "Table", 80).indexed(),
            text("element", "Element", 80),
            text("label", "Label", 80),
            text("language", "Language", 3).default("en"),
        ],
    ),
    table(
        "sys_journal_field",
        "Journal Entry",
        "element",
        &[
            text("name", "Name", 80),
            text("element", "Element", 80),
            text("element_id", "Element ID", 32).indexed(),
            text("value", "Value", 4_000),
        ],
    ),
    table("sys_attachment", "Attachment", "file_name", ATTACHMENT),
    table(
        "sys_audit_delete",
        "Audit Deleted Record",
        "documentkey",
        &[
            text("tablename", "Table", 80).indexed(),
            text("documentkey", "Document key", 32).indexed(),
            text("display_value", "Display value", 255),
            text("payload", "Payload", 65_000),
        ],
    ),
    table(
        "sys_properties",
        "System Property",
        "name",
        &[
            text("name", "Name", 100).indexed(),
            text("value", "Value", 4_000),
            text("type", "Type", 40).default("string"),
            text("description", "Description", 512),
            flag("private", "Private", "false"),
        ],
    ),
    table(
        "sys_rate_limit_rules",
        "Rate Limit Rule",
        "name",
        &[
            text("name", "Name", 100),
            integer("request_limit_per_hour", "Request limit per hour"),
            flag("active", "Active", "true"),
        ],
    ),
    table(
        "sys_plugins",
        "System Plugin",
        "name",
        &[
            text("name", "Name", 100),
            text("source", "ID", 100).indexed(),
            text("version", "Version", 40),
            text("active", "Status", 40),
        ],
    ),
    table(
        "sys_scope",
        "Application",
        "name",
        &[text("name", "Name", 100), text("scope", "Scope", 100).indexed(), text("version", "Version", 40)],
    ),
    table(
        "sys_store_app",
        "Store Application",
        "name",
        &[
            text("name", "Name", 100),
            text("scope", "Scope", 100).indexed(),
            text("version", "Version", 40),
            flag("active", "Active", "true"),
        ],
    ),
    table(
        "sys_app",
        "Custom Application",
        "name",
        &[
            text("name", "Name", 100),
            text("scope", "Scope", 100).indexed(),
            text("version", "Version", 40),
            flag("active", "Active", "true"),
        ],
    ),
    table(
        "sysauto_script",
        "Scheduled Script Execution",
        "name",
        &[
            text("name", "Name", 100).indexed(),
            flag("active", "Active", "true"),
            text("run_type", "Run", 40).default("daily"),
            text("script", "Run this script", 8_000),
        ],
    ),
    table(
        "sys_import_set",
        "Import Set",
        "number",
        &[
            text("number", "Set", 40).indexed(),
            text("table_name", "Table name", 80),
            text("state", "State", 40).default("loaded"),
            text("mode", "Mode", 40).default("synchronous"),
            date_time("load_completed", "Load completed"),
        ],
    )
    .numbered("ISET"),
    table("sys_import_set_row", "Import Set Row", "sys_import_set", IMPORT_ROW),
    table("x_bip_panda_shareincident", "ShareIncident", "sys_import_set", STAGING).extends("sys_import_set_row"),
];
