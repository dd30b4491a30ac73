//! The binary. Everything is in the library; commands are in `cli`.

fn main() -> std::process::ExitCode {
    tandem::cli::main()
}
