//! The front door; everything is in [`budget_alertd::cli`].

fn main() -> std::process::ExitCode {
    budget_alertd::cli::main()
}
