//! From an author's type to the exports of a component.
//!
//! One [`Event`](crate::Event) and one set of settings per instance, shared by all its hooks.

/// Exports the hooks that a type implements. In a native build it only checks that the type implements them.
///
/// ```
/// use tandem_guest::{Answer, Body, Description, Event, Fields, NoConfig, Patch, Plugin};
///
/// struct Mine;
/// impl Plugin for Mine {
///     type Config = NoConfig;
/// }
/// impl Description for Mine {
///     fn description(event: &Event, _: &NoConfig) -> Answer<Body> {
///         Ok(Body::new(format!("{} alerts", event.alerts().len())))
///     }
/// }
/// impl Fields for Mine {
///     fn fields(_: &Event, _: &NoConfig) -> Answer<Patch> {
///         let mut patch = Patch::new();
///         patch.set("category", "monitoring");
///         Ok(patch)
///     }
/// }
/// tandem_guest::export!(Mine: Description, Fields);
/// ```
#[macro_export]
macro_rules! export {
    ($plugin:ident: $($hook:ident),+ $(,)?) => {
        $($crate::__export_hook!($plugin, $hook);)+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_hook {
    ($plugin:ident, Gate) => { $crate::__export_hook!(@ $plugin, Gate, gate); };
    ($plugin:ident, PrimaryAlert) => { $crate::__export_hook!(@ $plugin, PrimaryAlert, primary_alert); };
    ($plugin:ident, ShortDescription) => { $crate::__export_hook!(@ $plugin, ShortDescription, short_description); };
    ($plugin:ident, Description) => { $crate::__export_hook!(@ $plugin, Description, description); };
    ($plugin:ident, Fields) => { $crate::__export_hook!(@ $plugin, Fields, fields); };
    ($plugin:ident, Tags) => { $crate::__export_hook!(@ $plugin, Tags, tags); };
    ($plugin:ident, Closure) => { $crate::__export_hook!(@ $plugin, Closure, closure); };
    ($plugin:ident, Reopen) => { $crate::__export_hook!(@ $plugin, Reopen, reopen); };
    ($plugin:ident, Conflict) => { $crate::__export_hook!(@ $plugin, Conflict, conflict); };
    ($plugin:ident, $unknown:ident) => {
        compile_error!(concat!(
            "`", stringify!($unknown), "` is no hook; there are Gate, PrimaryAlert, ShortDescription, Description, ",
            "Fields, Tags, Closure, Reopen and Conflict"
        ));
    };
    (@ $plugin:ident, $hook:ident, $module:ident) => {
        const _: () = {
            #[cfg(target_arch = "wasm32")]
            type Exported = $crate::glue::Exported<$plugin>;
            #[cfg(target_arch = "wasm32")]
            $crate::bindings::$module::export!(Exported with_types_in $crate::bindings::$module);
            #[cfg(not(target_arch = "wasm32"))]
            const fn implements<P: $crate::$hook>() {}
            #[cfg(not(target_arch = "wasm32"))]
            implements::<$plugin>();
        };
    };
}

#[cfg(target_arch = "wasm32")]
#[allow(missing_docs)]
pub mod glue {
    //! What the generated exports call.

    use std::any::Any;
    use std::cell::OnceCell;
    use std::marker::PhantomData;

    use crate::Event;
    use crate::answer::{
        Answer, Body, Choice, Decision, Error, Hold, Journal, Op, Operation, Patch, Settlement, Text, Verdict,
    };
    use crate::bindings::{self, types as host};
    use crate::event::source::Source;
    use crate::hook::{
        Closure, Conflict, Description, Dispute, Fields, Gate, Plugin, PrimaryAlert, Reopen, ShortDescription, Tags,
    };

    const VERSION: &[u8] = env!("CARGO_PKG_VERSION").as_bytes();

    /// Tells the build tool which SDK a module was made with.
    #[used]
    #[unsafe(link_section = "tandem:sdk")]
    static SDK: [u8; VERSION.len()] = {
        let mut bytes = [0; VERSION.len()];
        bytes.copy_from_slice(VERSION);
        bytes
    };

    /// Carries an author's type to the generated traits.
    pub struct Exported<P>(PhantomData<P>);

    thread_local! {
        // Both live as long as the instance, which is as long as the event.
        static EVENT: &'static Event = {
            std::panic::set_hook(Box::new(report));
            Box::leak(Box::new(Event::new(Source)))
        };
        static CONFIG: OnceCell<&'static dyn Any> = const { OnceCell::new() };
    }

    /// Tells the host what a panic says and where, before the trap.
    fn report(info: &std::panic::PanicHookInfo<'_>) {
        let message = info.payload_as_str().unwrap_or("a panic without a text");
        let (file, line, column) = info.location().map_or(("", 0, 0), |at| (at.file(), at.line(), at.column()));
        bindings::panic::report(message, file, line, column);
    }

    fn config<P: Plugin>(event: &'static Event) -> Answer<&'static P::Config> {
        if let Some(config) = CONFIG.with(|cell| cell.get().and_then(|config| config.downcast_ref())) {
            return Ok(config);
        }
        let config: &'static P::Config = Box::leak(Box::new(event.settings()?));
        // Taken already only when two plugin types share a component; then the second one reads each time.
        CONFIG.with(|cell| cell.set(config).ok());
        Ok(config)
    }

    fn run<P: Plugin, T>(
        hook: impl FnOnce(&'static Event, &'static P::Config) -> Answer<T>,
    ) -> Result<T, host::PluginError> {
        let event = EVENT.with(|event| *event);
        event.next_hook();
        config::<P>(event).and_then(|config| hook(event, config)).map_err(|error| match error {
            Error::Skip(why) => host::PluginError::Skip(why),
            Error::InvalidInput(why) => host::PluginError::InvalidInput(why),
            Error::InvalidConfig(why) => host::PluginError::InvalidConfig(why),
            Error::Transient(why) => host::PluginError::Transient(why),
            Error::Failed(why) => host::PluginError::Failed(why),
        })
    }

    fn operations(patch: Patch) -> Vec<host::Operation> {
        let convert = |Operation { op, reason, on_update }| host::Operation {
            op: match op {
                Op::Set { field, value } => host::Op::Set(host::FieldValue { field, value }),
                Op::Append { field, value } => host::Op::Append(host::FieldValue { field, value }),
                Op::Unset { field } => host::Op::Unset(field),
                Op::SetReference(reference) => host::Op::SetReference(host::Reference {
                    field: reference.field,
                    table: reference.table,
                    by: reference.by,
                    value: reference.value,
                }),
                Op::AddNote { journal, text } => host::Op::AddNote(host::Note {
                    journal: match journal {
                        Journal::WorkNotes => host::Journal::WorkNotes,
                        Journal::Comments => host::Journal::Comments,
                    },
                    text,
                }),
            },
            reason,
            on_update,
        };
        patch.into_operations().into_iter().map(convert).collect()
    }

    use bindings::closure::exports::tandem::plugin::closure;
    use bindings::conflict::exports::tandem::plugin::conflict;
    use bindings::description::exports::tandem::plugin::description;
    use bindings::fields::exports::tandem::plugin::fields;
    use bindings::gate::exports::tandem::plugin::gate;
    use bindings::primary_alert::exports::tandem::plugin::primary_alert;
    use bindings::reopen::exports::tandem::plugin::reopen;
    use bindings::short_description::exports::tandem::plugin::short_description;
    use bindings::tags::exports::tandem::plugin::tags;

    impl<P: Gate> gate::Guest for Exported<P> {
        fn decide() -> Result<gate::Verdict, host::PluginError> {
            Ok(match run::<P, _>(P::gate)? {
                Verdict::Proceed => gate::Verdict::Proceed,
                Verdict::Skip(reason) => gate::Verdict::Skip(reason),
                Verdict::Hold(Hold { until, reason }) => gate::Verdict::Hold(gate::Hold { until, reason }),
            })
        }
    }

    impl<P: PrimaryAlert> primary_alert::Guest for Exported<P> {
        fn choose() -> Result<primary_alert::Choice, host::PluginError> {
            let Choice { alert, reason } = run::<P, _>(P::primary_alert)?;
            // A place beyond 32 bits can't exist; the host refuses the largest number as it does any wrong one.
            let alert = alert.map(|index| u32::try_from(index).unwrap_or(u32::MAX));
            Ok(primary_alert::Choice { alert, reason })
        }
    }

    impl<P: ShortDescription> short_description::Guest for Exported<P> {
        fn write() -> Result<host::TextAnswer, host::PluginError> {
            let Text { text, on_update, reason } = run::<P, _>(P::short_description)?;
            Ok(host::TextAnswer { text, on_update, reason })
        }
    }

    impl<P: Description> description::Guest for Exported<P> {
        fn write() -> Result<description::Body, host::PluginError> {
            let Body { text, work_note, on_update, reason } = run::<P, _>(P::description)?;
            Ok(description::Body { text, work_note, on_update, reason })
        }
    }

    impl<P: Fields> fields::Guest for Exported<P> {
        fn transform() -> Result<Vec<host::Operation>, host::PluginError> {
            run::<P, _>(P::fields).map(operations)
        }
    }

    impl<P: Tags> tags::Guest for Exported<P> {
        fn transform() -> Result<Vec<host::Operation>, host::PluginError> {
            run::<P, _>(P::tags).map(operations)
        }
    }

    impl<P: Closure> closure::Guest for Exported<P> {
        fn close_ticket() -> Result<Vec<host::Operation>, host::PluginError> {
            run::<P, _>(P::close_ticket).map(operations)
        }

        fn comment() -> Result<Option<String>, host::PluginError> {
            run::<P, _>(P::comment)
        }
    }

    impl<P: Reopen> reopen::Guest for Exported<P> {
        fn decide() -> Result<reopen::Decision, host::PluginError> {
            Ok(match run::<P, _>(P::reopen)? {
                Decision::Reopen(note) => reopen::Decision::Reopen(note),
                Decision::Create(note) => reopen::Decision::Create(note),
                Decision::Leave(reason) => reopen::Decision::Leave(reason),
            })
        }
    }

    impl<P: Conflict> conflict::Guest for Exported<P> {
        fn settle(dispute: conflict::Dispute) -> Result<conflict::Settlement, host::PluginError> {
            let dispute = Dispute {
                tag: dispute.tag,
                field: dispute.field,
                agreed: dispute.agreed,
                incident_value: dispute.incident_value,
                ticket_value: dispute.ticket_value,
                incident_changed: dispute.incident_changed,
                ticket_changed: dispute.ticket_changed,
            };
            let Settlement { value, reason } = run::<P, _>(|event, config| P::settle(&dispute, event, config))?;
            Ok(conflict::Settlement { value, reason })
        }
    }
}
