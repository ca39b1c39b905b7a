/** The element type, which a release build names by `use` in asconfig.json. */
declare type Real = f64;
declare const Real: typeof f64;

/**
 * The bits of the variants that a build has, which asconfig.json names too: all, or without averages of the weights, cleared
 * gradients, learned rates and one mean square for a row. The compiler leaves out whatever asks for another.
 */
declare const PARTS: i32;
