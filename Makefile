# Each target is a few commands that a person could type. `make demo` and `make test` need nothing installed beforehand
# but rustup; `make toolchain` adds what they lack.

.DEFAULT_GOAL := help

# Always the whole workspace, so that its dependencies are built once and not once for each selection of packages.
BIN := $(or $(CARGO_TARGET_DIR),target)/debug
.PHONY: help demo test lint bench toolchain plugins

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: plugins ## play incidents through both simulators and the host, and check what came of them
	cargo build --workspace --bin tandem
	$(BIN)/tandem demo

test: plugins ## every test
	cargo test --workspace

lint: plugins ## format, lints, documentation, licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --offline check bans licenses sources; \
	else echo "licences not checked: cargo deny is not installed (cargo install cargo-deny)"; fi

bench: plugins ## measure, print tables, write JSON beside them
	cargo bench --workspace --bench plugin_job --bench plugin_reload --bench store --bench host

plugins: toolchain ## build the bundled plugins into plugins/dist
	cargo build --workspace --bin tandem-plugin-build
	$(BIN)/tandem-plugin-build $(dir $(wildcard plugins/*/plugin.toml)) --out plugins/dist

toolchain: ## a C compiler and a way to build WebAssembly guests
	@guest-sdk/build/toolchain.sh
