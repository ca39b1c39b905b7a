/** Keeps mistakes with an optimizer from being silent, and lets its members work wherever they are called from. */

import { refuseSurplus } from "../base/rules.ts";
import { show } from "../base/show.ts";
import { OptionError } from "../errors.ts";
import { HYPERPARAMETERS } from "../options/hyperparameters.ts";
import { meantBy, memberOf } from "../options/places.ts";
import { INSPECT } from "./records.ts";

/** The key under which an optimizer gives itself: also behind a proxy, which hides its private fields. */
const SELF = /* @__PURE__ */ Symbol("self");

type Members = Record<PropertyKey, unknown>;

/**
 * Binds the methods to their optimizer, so that `const { step } = optimizer` works, and so do proxies, as Vue and MobX make
 * them. Accessors stay on the class: on each optimizer, they would give it a hidden class of its own, and every program
 * with a handful of optimizers slow reads.
 */
export function bindMembers(self: object, prototype: object): void {
  if (Object.getPrototypeOf(prototype) === Object.prototype) guardClass(prototype);
  for (const name of Reflect.ownKeys(prototype)) {
    const own: Method | undefined = Object.getOwnPropertyDescriptor(prototype, name)!.value;
    if (!own || name === "constructor") continue;
    const method = (self as Members)[name] as Method;
    // A subclass and a spy have arguments of their own. Consoles give some to what has a symbol for a name, and events to `dispose`.
    const isChecked = method === own && typeof name === "string" && name !== "dispose";
    define(self, name, isChecked ? bound(method, self, name) : method.bind(self));
  }
  define(self, SELF, () => self);
}

type Method = (argument?: unknown, other?: unknown, list?: unknown) => unknown;

/**
 * Binds a method, none of which takes more than one argument, and refuses another. `bind` gives V8 nothing that many optimizers
 * share: calls from one place take a fifth longer. To look at `length` in the call took a seventh of a small step.
 */
const bound = (method: Method, self: object, name: string): Method =>
  method.length > 0
    ? (argument, other, list) => {
        if (other !== undefined) refuseSurplus(name, [other, list]);
        return method.call(self, argument);
      }
    : (other) => {
        if (other !== undefined) refuseSurplus(name, [other]);
        return method.call(self);
      };

function define(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true });
}

/** Done once, when the first optimizer is made: an import does nothing. */
function guardClass(prototype: object): void {
  // A computed name in the class would keep all of it in bundles that use none of it.
  define(prototype, INSPECT, prototype.toString);
  for (const [name, { get, set }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (!get) continue;
    Object.defineProperty(prototype, name, {
      get(this: Members) {
        return get.call((this[SELF] as () => object)());
      },
      set(this: Members, value) {
        if (!set) throw readOnly(name);
        set.call((this[SELF] as () => object)(), value);
      },
    });
  }
  // Every assignment to a name that is neither the optimizer's nor its class's ends here, in sloppy mode too.
  const last = new Proxy(Object.create(Object.prototype), {
    set(target, name, value, receiver) {
      const isOwn = Object.getPrototypeOf(Object.getPrototypeOf(receiver)) === prototype;
      if (isOwn && typeof name === "string") throw unknownMember(name);
      // A subclass has members of its own, and tools mark objects by symbols.
      return Reflect.set(target, name, value, receiver);
    },
  });
  Object.setPrototypeOf(prototype, last);
}

/**
 * Refuses an optimizer whose `zeroGrad` was replaced by a value, as if it were the option of that name: gradients would add up
 * without a word. A setter would refuse it at once, but the spies of vitest, sinon and Node take no accessors, and those of
 * jest assign.
 */
export function refuseReplaced({ zeroGrad }: { readonly zeroGrad: unknown }): void {
  if (typeof zeroGrad !== "function") throw readOnly("zeroGrad");
}

function readOnly(name: string): OptionError {
  const hints: Record<string, string> = {
    zeroGrad: "call it, or step({ zeroGrad: true })",
    groups: "assign a hyperparameter, as optimizer.groups[0].lr = 1e-3",
    steps: "loadStateDict({ ...stateDict(), steps }) sets it",
    state: "write into its views, as optimizer.state.w.squareAvg.set(values)",
  };
  const hint = ["params", "grads", "ema"].includes(name)
    ? `write into its views, as optimizer.${name}.w.set(values)`
    : (hints[name] ?? "it only tells; the constructor takes options");
  return new OptionError(`optimizer.${name} can't be assigned: ${hint}.`);
}

function unknownMember(name: string): OptionError {
  const hint = meantBy(name, Object.keys(HYPERPARAMETERS), memberOf, ": keep it in an object of your own.");
  return new OptionError(`An optimizer has no ${show(name)} to assign${hint}`);
}

/** Keeps the list of groups as it is, in sloppy mode too, where a frozen one would say nothing. */
export function guardGroups<Group>(groups: readonly Group[]): readonly [Group, ...Group[]] {
  const refuse = (): never => {
    throw readOnly("groups");
  };
  const handler = { set: refuse, defineProperty: refuse, deleteProperty: refuse };
  return new Proxy(Object.freeze([...groups]), handler) as unknown as readonly [Group, ...Group[]];
}
