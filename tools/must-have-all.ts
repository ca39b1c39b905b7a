/** With RMSPROP_REQUIRE_ALL or CI set, as in `.ci/run`, a test that lacks something fails instead of being skipped. */
export const mustHaveAll = Boolean(process.env.RMSPROP_REQUIRE_ALL || process.env.CI);
