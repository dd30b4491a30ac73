#!/bin/sh
# Makes sure that a C compiler and a way to build WebAssembly guests are there, and installs what is missing.
# Two ways lead to guests: the wasm target of rustup, or Debian's compiler with the library's sources.
set -eu

say() { printf '%s\n' "toolchain: $*"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        say "need root for: $*"; exit 1
    fi
}

debian() {
    command -v apt-get >/dev/null || { say "please install: $* (this is no Debian, so it is yours to do)"; exit 1; }
    say "installing $*"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

command -v cargo >/dev/null || { say "no cargo: install Rust with rustup, https://rustup.rs"; exit 1; }
command -v cc >/dev/null || debian build-essential

target_ready() { ls "$(rustc --print target-libdir --target wasm32-unknown-unknown)"/libcore-*.rlib >/dev/null 2>&1; }

if target_ready; then exit 0; fi
if [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && dpkg -s rust-web-src >/dev/null 2>&1; then exit 0; fi
if command -v rustup >/dev/null; then
    say "adding the target wasm32-unknown-unknown by rustup"
    if rustup target add wasm32-unknown-unknown >/dev/null 2>&1 && target_ready; then exit 0; fi
    say "rustup cannot reach its server"
fi
debian rustc-web cargo-web rust-web-src
