;; Answers a hook with a number where the contract wants a text.
(component
  (core module $module
    (func (export "write") (result i32) (i32.const 7)))
  (core instance $instance (instantiate $module))
  (func $write (result u32) (canon lift (core func $instance "write")))
  (instance $hook (export "write" (func $write)))
  (export "tandem:plugin/short-description@0.1.0" (instance $hook)))
