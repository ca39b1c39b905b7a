/** Stands for the package `@tensorflow/tfjs` in the code of the pages: its parts, which are installed one by one here. */
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import "@tensorflow/tfjs-backend-cpu";

export * from "@tensorflow/tfjs-core";
export * from "@tensorflow/tfjs-layers";
