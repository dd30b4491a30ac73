//! Users, groups, roles, companies, places.
//!
//! Data only. Part of the dictionary.

use super::{ColumnDef, Kind, TableDef, date_time, flag, integer, reference, table, text};

const USER: &[ColumnDef] = &[
    text("user_name", "User ID", 40).indexed(),
    text("name", "Name", 151).indexed(),
    text("first_name", "First name", 50),
    text("last_name", "Last name", 50),
    text("middle_name", "Middle name", 50),
    text("email", "Email", 100).indexed(),
    text("title", "Title", 60),
    text("phone", "Business phone", 40),
    text("mobile_phone", "Mobile phone", 40),
    text("employee_number", "Employee number", 40),
    ColumnDef::new("user_password", "Password", Kind::Password, 255),
    flag("active", "Active", "true"),
    flag("locked_out", "Locked out", "false"),
    flag("vip", "VIP", "false"),
    flag("web_service_access_only", "Web service access only", "false"),
    flag("internal_integration_user", "Internal Integration User", "false"),
    flag("password_needs_reset", "Password needs reset", "false"),
    reference("manager", "Manager", "sys_user"),
    reference("department", "Department", "cmn_department"),
    reference("company", "Company", "core_company"),
    reference("location", "Location", "cmn_location"),
    text("roles", "Roles", 40),
    text("time_zone", "Time zone", 40),
    text("date_format", "Date format", 40),
    text("time_format", "Time format", 40),
    text("preferred_language", "Language", 3),
    text("country", "Country code", 3),
    text("city", "City", 40),
    text("state", "State / Province", 40),
    text("street", "Street", 255),
    text("zip", "Zip / Postal code", 40),
    text("source", "Source", 255),
    integer("failed_attempts", "Failed login attempts"),
    date_time("last_login_time", "Last login time"),
    reference("sys_domain", "Domain", "sys_user_group").default("global"),
];

const GROUP: &[ColumnDef] = &[
    text("name", "Name", 80).indexed(),
    text("description", "Description", 1_000),
    text("email", "Group email", 100),
    flag("active", "Active", "true"),
    flag("include_members", "Include members", "false"),
    flag("exclude_manager", "Exclude manager", "false"),
    reference("manager", "Manager", "sys_user"),
    reference("parent", "Parent", "sys_user_group"),
    reference("default_assignee", "Default assignee", "sys_user"),
    reference("cost_center", "Cost center", "cmn_cost_center"),
    text("roles", "Roles", 40),
    text("type", "Type", 1_024),
    text("source", "Source", 255),
];

pub(super) const TABLES: &[TableDef] = &[
    table("sys_user", "User", "name", USER),
    table("sys_user_group", "Group", "name", GROUP),
    table(
        "sys_user_grmember",
        "Group Member",
        "user",
        &[reference("user", "User", "sys_user").indexed(), reference("group", "Group", "sys_user_group").indexed()],
    ),
    table(
        "sys_user_role",
        "Role",
        "name",
        &[text("name", "Name", 100).indexed(), text("description", "Description", 4_000)],
    ),
    table(
        "sys_user_has_role",
        "User Role",
        "role",
        &[
            reference("user", "User", "sys_user").indexed(),
            reference("role", "Role", "sys_user_role"),
            flag("inherited", "Inherited", "false"),
            text("state", "State", 40).default("active"),
        ],
    ),
    table(
        "core_company",
        "Company",
        "name",
        &[
            text("name", "Name", 80).indexed(),
            text("website", "Website", 1_024),
            flag("vendor", "Vendor", "false"),
            flag("manufacturer", "Manufacturer", "false"),
            flag("customer", "Customer", "false"),
        ],
    ),
    table(
        "cmn_location",
        "Location",
        "name",
        &[
            text("name", "Name", 100).indexed(),
            text("street", "Street", 255),
            text("city", "City", 50),
            text("state", "State / Province", 50),
            text("zip", "Zip / Postal Code", 40),
            text("country", "Country", 50),
        ],
    ),
    table(
        "cmn_department",
        "Department",
        "name",
        &[
            text("name", "Name", 100).indexed(),
            text("id", "ID", 40),
            reference("dept_head", "Department head", "sys_user"),
        ],
    ),
    table("cmn_cost_center", "Cost Center", "name", &[text("name", "Name", 100), text("code", "Code", 40)]),
];
