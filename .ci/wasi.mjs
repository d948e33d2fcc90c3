// Runs a wasm32-wasip1 test binary under Node, for cargo's `runner`:
//     node .ci/wasi.mjs tests.wasm [arguments of the test harness]
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [file, ...args] = process.argv.slice(2);
// The whole file system: proptest looks for its record of past failures.
const wasi = new WASI({ version: "preview1", args: [file, ...args], env: process.env, preopens: { "/": "/" } });
const module = await WebAssembly.compile(await readFile(file));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
process.exitCode = wasi.start(instance);
