// Lints every stage of the API descriptions: `npm ci && npm run lint`.
//
// The vendored files keep the vendor's faults on purpose, so what counts there is that exactly those are found: one more is a
// slip of ours, one less means that an overlay action has lost its reason. After the overlays nothing may be found.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;
const scratch = mkdtempSync(join(tmpdir(), "telecrm-lint-"));
const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };

function overlaid(api) {
  const file = join(scratch, `${api}.yaml`);
  const command = ["xtask", "spec", api, "--stage", "overlaid"];
  writeFileSync(file, execFileSync("cargo", command, { cwd: join(here, ".."), maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "inherit"] }));
  return file;
}

function problems(file) {
  const redocly = join(here, "node_modules", "@redocly", "cli", "bin", "cli.js");
  const run = spawnSync(process.execPath, [redocly, "lint", "--config", join(here, "redocly.yaml"), "--format=json", file], {
    env,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  try {
    return JSON.parse(run.stdout).problems;
  } catch {
    throw new Error(`redocly gave no report on ${file}\n${run.stderr}`);
  }
}

const count = (found) => {
  const rules = {};
  for (const { ruleId } of found) rules[ruleId] = (rules[ruleId] ?? 0) + 1;
  return JSON.stringify(Object.fromEntries(Object.entries(rules).sort()));
};

let failed = false;
try {
  const inputs = [
    ["sync, vendored", join(here, "sync.yaml"), { "no-duplicated-tag-names": 1, "operation-operationId": 18 }],
    ["async, vendored", join(here, "async.yaml"), { "operation-operationId": 1 }],
    ["sync, overlay", join(here, "sync.overlay.yaml"), {}],
    ["async, overlay", join(here, "async.overlay.yaml"), {}],
    ["sync, overlaid", overlaid("sync"), {}],
    ["async, overlaid", overlaid("async"), {}],
  ];
  for (const [name, file, expected] of inputs) {
    const found = problems(file);
    if (count(found) === JSON.stringify(expected)) {
      console.log(`ok      ${name}: ${count(found)}`);
      continue;
    }
    failed = true;
    console.log(`FAILED  ${name}: expected ${JSON.stringify(expected)}, found ${count(found)}`);
    for (const { ruleId, message, location } of found) {
      if (!(ruleId in expected)) console.log(`        ${location[0]?.pointer ?? ""} ${ruleId}: ${message}`);
    }
  }
} finally {
  rmSync(scratch, { recursive: true });
}
process.exitCode = failed ? 1 : 0;
