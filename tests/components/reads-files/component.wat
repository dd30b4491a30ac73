;; Wants something of the system that no plugin gets.
(component
  (import "wasi:filesystem/preopens@0.2.0" (instance
    (export "count" (func (result u32)))))
  (core module $module
    (func (export "write") (result i32) unreachable))
  (core instance $instance (instantiate $module))
  (func $write (result u32) (canon lift (core func $instance "write")))
  (instance $hook (export "write" (func $write)))
  (export "tandem:plugin/short-description@0.1.0" (instance $hook)))
