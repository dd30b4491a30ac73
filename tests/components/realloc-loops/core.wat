;; Never comes back when the host asks it for memory.
(module
  (import "tandem:plugin/event@0.1.0" "head" (func $head (param i32)))
  (memory (export "memory") 1)
  (func $take_memory (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (loop $again (br $again)) unreachable)
  (func (export "tandem:plugin/short-description@0.1.0#write") (result i32)
    (call $head (i32.const 1024))
    unreachable))
