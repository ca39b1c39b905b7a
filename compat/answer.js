import { run } from "./program.js";

/**
 * Runs the program as an address asks for, with options as JSON in its query, and reports an error in the form that the matrix reads.
 *
 * @param {Parameters<typeof run>[0]} rmsprop
 * @param {string} url
 */
export function answer(rmsprop, url) {
  const options = JSON.parse(new URL(url).searchParams.get("options") ?? "{}");
  return run(rmsprop, options).catch(({ name, message }) => ({ error: name, message }));
}
