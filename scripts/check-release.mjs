/** The conditions of a release: `node scripts/check-release.mjs v0.1.0` names those that don't hold, and fails. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parser } from "keep-a-changelog";

/**
 * Names what is wrong with a release, a sentence for each fault.
 *
 * @param {object} release
 * @param {string | undefined} release.tag of the commit.
 * @param {{ version: string, repository?: { url?: string } }} release.manifest package.json.
 * @param {string} release.changelog its text.
 * @param {string | undefined} [release.repository] "owner/name" on GitHub, where that is known.
 * @returns {string[]}
 */
export function releaseFaults({ tag, manifest, changelog, repository }) {
  const { version } = manifest;
  const faults = changelogFaults(changelog, version);
  if (tag !== `v${version}`) {
    faults.push(`The tag is ${tag}, but package.json says version ${version}: expected the tag v${version}.`);
  }
  const url = `git+https://github.com/${repository}.git`;
  if (repository !== undefined && manifest.repository?.url !== url) {
    faults.push(
      `package.json says repository.url ${manifest.repository?.url}, expected ${url}: npm compares it with the run's own and refuses the provenance.`,
    );
  }
  return faults;
}

/**
 * @param {string} text
 * @param {string} version
 */
function changelogFaults(text, version) {
  try {
    const { releases } = parser(text);
    const [unreleased] = releases.filter((release) => release.version === undefined);
    const [newest] = releases.filter((release) => release.version !== undefined);
    const faults = [];
    if (newest?.version !== version || newest.isEmpty()) {
      faults.push(
        `CHANGELOG.md doesn't begin with what version ${version} changed: expected "## [${version}] - YYYY-MM-DD" and changes below it.`,
      );
    }
    if (unreleased && !unreleased.isEmpty()) {
      faults.push(`CHANGELOG.md lists changes as unreleased: move them to version ${version}.`);
    }
    return faults;
  } catch (error) {
    return [`CHANGELOG.md isn't in the format of keepachangelog.com: ${error}`];
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  /** @param {string} name */
  const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
  const faults = releaseFaults({
    tag: process.argv[2],
    manifest: JSON.parse(read("package.json")),
    changelog: read("CHANGELOG.md"),
    repository: process.env.GITHUB_REPOSITORY,
  });
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
