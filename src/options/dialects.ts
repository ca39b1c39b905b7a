/** The RMSprop of each framework, as options. This is data: an import of it brings no code into a bundle. */
import type { Hyperparameters } from "./hyperparameters.ts";

type Dialect = Readonly<Partial<Hyperparameters>>;

/**
 * The defaults of each framework's RMSprop, to spread into the options: `{ ...dialects.keras, lr: 1e-3 }`. An argument
 * that has no default in the framework, in most of them the learning rate, isn't set here either.
 */
export const dialects = {
  /** PyTorch 2.13.0, `torch.optim.RMSprop`. These are the defaults of `rmsprop-wasm` too, so they change nothing. */
  pytorch: { lr: 0.01, alpha: 0.99, eps: 1e-8 },

  /** Keras 3.15.1, `keras.optimizers.RMSprop`: epsilon inside the root, the rate inside the momentum, decay decoupled. */
  keras: {
    lr: 1e-3,
    alpha: 0.9,
    eps: 1e-7,
    epsInsideSqrt: true,
    lrInMomentum: true,
    decoupledWeightDecay: true,
  },

  /** TensorFlow 2.21.0, `tf.compat.v1.train.RMSPropOptimizer`: as Keras 3 but for epsilon, and the average starts at 1. */
  tensorflow1: { alpha: 0.9, eps: 1e-10, epsInsideSqrt: true, lrInMomentum: true, initialSquareAvg: 1 },

  /**
   * tf.js 4.22.0, `tf.train.rmsprop`, on a backend of float32. Its fault is left out: with `centered`, tf.js subtracts
   * epsilon from the variance instead of adding it, and an element whose variance is below epsilon becomes NaN
   * permanently.
   */
  tfjs: { alpha: 0.9, eps: 1e-7, epsInsideSqrt: true, lrInMomentum: true },

  /**
   * Optax 0.2.8, `optax.rmsprop`. Its `eps_in_sqrt`, `initial_scale`, `nesterov` and `bias_correction` have names here.
   * `optax.add_decayed_weights` before `rmsprop` in a chain is `weightDecay`; between `scale_by_rms` and
   * `scale_by_learning_rate` it is `weightDecay` with `decoupledWeightDecay`.
   */
  optax: { alpha: 0.9, eps: 1e-8, epsInsideSqrt: true, lrInMomentum: true },

  /** timm 1.0.31, `RMSpropTF`: TensorFlow's, with coupled weight decay unless `decoupledWeightDecay` is set. */
  timm: {
    lr: 0.01,
    alpha: 0.9,
    eps: 1e-10,
    epsInsideSqrt: true,
    lrInMomentum: true,
    initialSquareAvg: 1,
  },

  /** MLX 0.32.4, `mlx.optimizers.RMSprop`. */
  mlx: { alpha: 0.99, eps: 1e-8 },

  /** Graves 2013, "Generating Sequences With Recurrent Neural Networks", equations 38 to 45. */
  graves2013: {
    lr: 1e-4,
    alpha: 0.95,
    eps: 1e-4,
    epsInsideSqrt: true,
    centered: true,
    momentum: 0.9,
    lrInMomentum: true,
  },

  /** DeepMind's DQN of 2015 (`NeuralQLearner.lua`), without momentum. Its epsilon of 0.01 shapes the steps; it is no mere guard against 0/0. */
  dqn: { lr: 2.5e-4, alpha: 0.95, eps: 0.01, epsInsideSqrt: true, centered: true, lrInMomentum: true },
} as const satisfies Record<string, Dialect>;
