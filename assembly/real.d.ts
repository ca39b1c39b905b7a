/** The element type, which a release build names by `use` in asconfig.json. */
declare type Real = f64;
declare const Real: typeof f64;
