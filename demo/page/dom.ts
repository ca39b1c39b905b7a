/** Elements of index.html, by their ids. */

/** @throws Error where the page has no such element, or one of another kind: the page and its code then differ. */
export function element<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} with the id ${id}.`);
  return found;
}

export const html = (id: string) => element(id, HTMLElement);
export const input = (id: string) => element(id, HTMLInputElement);
export const button = (id: string) => element(id, HTMLButtonElement);

/** Makes an element. Its attributes are text; what it holds is text or elements. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
  ...content: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...content);
  return made;
}

/** Calls back with the value of the radio button that is chosen in a group, now and whenever that changes. */
export function onChoice(groupId: string, choose: (value: string) => void): void {
  const group = html(groupId);
  group.addEventListener("change", ({ target }) => choose((target as HTMLInputElement).value));
  choose(group.querySelector<HTMLInputElement>("input:checked")!.value);
}
