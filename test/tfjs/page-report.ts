/** In a browser: hands what a page has found to the test that looks at it. */
export function report(run: () => Promise<object>): void {
  run()
    .catch((error) => ({ error: String(error?.stack ?? error) }))
    .then((found) => Object.assign(globalThis, { result: JSON.stringify(found) }));
}
