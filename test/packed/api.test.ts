/** The listing of the public surface in api/, which changes on purpose only: by `npm run api`. */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, it } from "vitest";
import { describeWith } from "../support/required.ts";
import { importTool, tools } from "../tools/load.ts";

// The copy it was packed from, since API Extractor takes files in a node_modules for another package's and lists none.
const { origin, entries } = inject("packed");
const listed = entries.map(({ entry, types }) => ({
  entry,
  types,
  name: `${entry === "." ? "index" : entry.slice(2)}.api.md`,
}));

/** The parts of API Extractor that are used here. */
interface ApiExtractor {
  Extractor: { invoke(config: object, options: object): unknown };
  ExtractorConfig: { prepare(options: object): object };
}

/** API Extractor's report on one file of declarations. */
async function reportOn(types: string): Promise<string> {
  const { Extractor, ExtractorConfig } = (await importTool("@microsoft/api-extractor")) as ApiExtractor;
  const reportFolder = mkdtempSync(join(origin, "report-"));
  const reportFileName = "report.api.md";
  const mainEntryPointFilePath = join(origin, types);
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: origin,
      mainEntryPointFilePath,
      compiler: {
        overrideTsconfig: {
          compilerOptions: { module: "nodenext", lib: ["es2022", "dom"], strict: true, types: [] },
          files: [mainEntryPointFilePath],
        },
      },
      apiReport: {
        enabled: true,
        reportFolder,
        reportTempFolder: reportFolder,
        reportFileName,
        // The class that both entries' RMSprop extend is one.
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: "lf",
      // Documentation is another test's matter.
      messages: { extractorMessageReporting: { "ae-missing-release-tag": { logLevel: "none" } } },
    },
    packageJsonFullPath: join(origin, "package.json"),
  });
  const silence = (message: { handled: boolean }) => {
    message.handled = true;
  };
  Extractor.invoke(config, { localBuild: true, messageCallback: silence });
  return readFileSync(join(reportFolder, reportFileName), "utf8");
}

describeWith(tools, "the public surface", () => {
  it.each(listed)("of $entry is as listed", async ({ name, types }) => {
    await expect(await reportOn(types)).toMatchFileSnapshot(`../../api/${name}`);
  });

  it("is listed for every entry, and for nothing else", () => {
    expect(readdirSync(new URL("../../api", import.meta.url)).sort()).toEqual(
      listed.map(({ name }) => name).sort(),
    );
  });
});
