/** The RMSprop of each framework, as options. Data only: importing it brings nothing else. */
import type { Hyperparameters } from "./hyperparameters.ts";

type Dialect = Readonly<Partial<Hyperparameters>>;

/**
 * How each framework spells RMSprop, to be spread into the options: `{ ...dialects.keras, lr: 1e-3 }`. What a framework
 * demands of its callers, its learning rate mostly, is left to you.
 */
export const dialects = {
  /** PyTorch 2.13.0, `torch.optim.RMSprop`. Ours are the same defaults, so this changes nothing. */
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
   * tf.js 4.22.0, `tf.train.rmsprop`, on a backend of float32. Not its error: centered, it subtracts epsilon from the
   * variance where it should add it, and an element whose variance is below epsilon becomes NaN for good.
   */
  tfjs: { alpha: 0.9, eps: 1e-7, epsInsideSqrt: true, lrInMomentum: true },

  /**
   * Optax 0.2.8, `optax.rmsprop`. Its `eps_in_sqrt`, `initial_scale`, `nesterov` and `bias_correction` have names here;
   * `add_decayed_weights` is `weightDecay` before it in a chain. In one that is spelt out, between `scale_by_rms` and
   * `scale_by_learning_rate`, it is `decoupledWeightDecay` as well.
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

  /** DeepMind's DQN of 2015 (`NeuralQLearner.lua`): epsilon 0.01 is part of the algorithm, no guard. No momentum. */
  dqn: { lr: 2.5e-4, alpha: 0.95, eps: 0.01, epsInsideSqrt: true, centered: true, lrInMomentum: true },
} as const satisfies Record<string, Dialect>;
