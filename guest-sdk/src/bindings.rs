//! Generated from `wit/`: the imports once, then one world per hook that shares their types.

#![allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic, rustdoc::all)]

mod shared {
    wit_bindgen::generate!({
        path: "wit",
        world: "imports",
        generate_all,
        generate_unused_types: true,
        pub_export_macro: true,
    });
}

pub use shared::tandem::plugin::{clock, event, log, panic, random, raw_share, types};

macro_rules! hook {
    ($($module:ident = $world:literal;)*) => {
        $(
            pub mod $module {
                wit_bindgen::generate!({
                    path: "wit",
                    world: $world,
                    with: {
                        "tandem:plugin/types@0.1.0": crate::bindings::types,
                        "tandem:plugin/event@0.1.0": crate::bindings::event,
                        "tandem:plugin/panic@0.1.0": crate::bindings::panic,
                        "tandem:plugin/log@0.1.0": crate::bindings::log,
                        "tandem:plugin/clock@0.1.0": crate::bindings::clock,
                        "tandem:plugin/random@0.1.0": crate::bindings::random,
                        "tandem:plugin/raw-share@0.1.0": crate::bindings::raw_share,
                    },
                    pub_export_macro: true,
                });
            }
        )*
    };
}

hook! {
    gate = "gate-plugin";
    primary_alert = "primary-alert-plugin";
    short_description = "short-description-plugin";
    description = "description-plugin";
    fields = "fields-plugin";
    tags = "tags-plugin";
    closure = "closure-plugin";
    reopen = "reopen-plugin";
    conflict = "conflict-plugin";
}
