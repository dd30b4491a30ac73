//! The binary. Everything is in the library; commands are in `cli`.

/// A share is thousands of small texts that one thread makes and another one drops. With the C library's allocator a ticket
/// takes half as much processor time again.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    tandem::cli::main()
}
