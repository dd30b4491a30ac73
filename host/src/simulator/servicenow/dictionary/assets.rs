//! Configuration items, services, knowledge.
//!
//! Data only. Part of the dictionary.

use super::{ColumnDef, TableDef, date_time, flag, integer, reference, table, text};

const CI: &[ColumnDef] = &[
    text("name", "Name", 255).indexed(),
    text("short_description", "Description", 1_000),
    text("asset_tag", "Asset tag", 40),
    text("serial_number", "Serial number", 255),
    text("ip_address", "IP Address", 255),
    text("mac_address", "MAC Address", 18),
    text("dns_domain", "DNS Domain", 255),
    text("fqdn", "Fully qualified domain name", 255).indexed(),
    text("category", "Category", 40),
    text("subcategory", "Subcategory", 40),
    integer("install_status", "Status").choice().default("1"),
    integer("operational_status", "Operational status").choice().default("1"),
    text("environment", "Environment", 40),
    text("correlation_id", "Correlation ID", 512).indexed(),
    text("discovery_source", "Discovery source", 255),
    reference("assigned_to", "Assigned to", "sys_user"),
    reference("support_group", "Support group", "sys_user_group"),
    reference("assignment_group", "Change group", "sys_user_group"),
    reference("owned_by", "Owned by", "sys_user"),
    reference("managed_by", "Managed by", "sys_user"),
    reference("manufacturer", "Manufacturer", "core_company"),
    reference("location", "Location", "cmn_location"),
    reference("company", "Company", "core_company"),
    flag("monitor", "Monitor", "false"),
    flag("unverified", "Requires verification", "false"),
    integer("impact", "Impact").choice(),
    reference("sys_domain", "Domain", "sys_user_group").default("global"),
];

const COMPUTER: &[ColumnDef] = &[
    text("os", "Operating System", 40),
    text("os_version", "OS Version", 255),
    text("host_name", "Host name", 255).indexed(),
    integer("cpu_count", "CPU count"),
    integer("ram", "RAM (MB)"),
    integer("disk_space", "Disk space (GB)"),
    flag("virtual", "Is Virtual", "false"),
];

pub(super) const TABLES: &[TableDef] = &[
    table("cmdb", "Base Configuration Item", "sys_id", &[]),
    table("cmdb_ci", "Configuration Item", "name", CI).extends("cmdb"),
    table("cmdb_ci_hardware", "Hardware", "name", &[]).extends("cmdb_ci"),
    table("cmdb_ci_computer", "Computer", "name", COMPUTER).extends("cmdb_ci_hardware"),
    table("cmdb_ci_server", "Server", "name", &[text("classification", "Classification", 40).default("Production")])
        .extends("cmdb_ci_computer"),
    table("cmdb_ci_linux_server", "Linux Server", "name", &[]).extends("cmdb_ci_server"),
    table("cmdb_ci_win_server", "Windows Server", "name", &[]).extends("cmdb_ci_server"),
    table("cmdb_ci_appl", "Application", "name", &[]).extends("cmdb_ci"),
    table("cmdb_ci_db_instance", "Database Instance", "name", &[]).extends("cmdb_ci_appl"),
    table("cmdb_ci_netgear", "Network Gear", "name", &[]).extends("cmdb_ci_hardware"),
    table(
        "cmdb_ci_service",
        "Service",
        "name",
        &[
            text("busines_criticality", "Business criticality", 40),
            text("used_for", "Used for", 40).default("Production"),
        ],
    )
    .extends("cmdb_ci"),
    table("service_offering", "Offering", "name", &[]).extends("cmdb_ci_service"),
    table(
        "cmdb_rel_ci",
        "CI Relationship",
        "type",
        &[
            reference("parent", "Parent", "cmdb_ci").indexed(),
            reference("child", "Child", "cmdb_ci").indexed(),
            reference("type", "Type", "cmdb_rel_type"),
        ],
    ),
    table("cmdb_rel_type", "CI Relationship Type", "name", &[text("name", "Name", 100).indexed()]),
    table("cmdb_ci_vm_instance", "Virtual Machine Instance", "name", &[text("vm_inst_id", "VM instance ID", 255)])
        .extends("cmdb_ci"),
    table("cmdb_ci_spkg", "Software", "name", &[text("version", "Version", 255)]).extends("cmdb_ci"),
    table(
        "alm_asset",
        "Asset",
        "display_name",
        &[
            text("display_name", "Display name", 255),
            text("asset_tag", "Asset tag", 40),
            text("serial_number", "Serial number", 100),
            reference("ci", "Configuration Item", "cmdb_ci"),
            reference("assigned_to", "Assigned to", "sys_user"),
            integer("install_status", "State").choice().default("1"),
        ],
    ),
    table(
        "kb_knowledge",
        "Knowledge",
        "number",
        &[
            text("number", "Number", 40).indexed(),
            text("short_description", "Short description", 100),
            text("text", "Article body", 65_000),
            text("workflow_state", "Workflow", 40).default("draft"),
            flag("active", "Active", "true"),
            date_time("published", "Published"),
        ],
    )
    .numbered("KB"),
];
