//! A net of the report's kind, BMAB layers and a final BMA, and one step of learning in each of its three orders.
//!
//! A product `h = xnor(x, w)` is put right by a flip of x *or* of w; if both flip, nothing has changed. Who goes first?
//!
//! | order | what happens |
//! |---|---|
//! | [`Order::Parallel`] | both at once, unaware of each other: on a chain of gates the flips cancel |
//! | [`Order::WeightFirst`] | going backward, the weights flip and the input hears what is left |
//! | [`Order::InputFirst`] | forward-backward-forward (FBF): in a second forward, front layer first, each layer sees its new input and its weights hear what is left |
//!
//! ```
//! use onebit_reference::flip::{FlipNet, Order, Tensor, thresholds};
//! let bits = |shape, bits: &[u8]| Tensor::new(shape, bits.iter().map(|&b| b == 1).collect());
//! let layers = vec![bits([1, 2, 1], &[1, 0]), bits([1, 3, 2], &[1, 1, 1, 1, 1, 1])]; // w: (d, o, i)
//! let mut net = FlipNet { layers, thresholds: thresholds(1).to_vec() };
//! let x = bits([1, 1, 1], &[1]); // x: (b, d, i)
//! assert_eq!(net.forward(&x).data, [0.0, 0.0, 0.0]);
//! // All three outputs are to shrink. Their products with the hidden unit that is +1 ask it to flip, and it does.
//! net.step(Order::InputFirst, &x, |y| Tensor::from_fn(y.shape, |_| 1.0), |_, flips| flips);
//! assert!(net.forward(&x).data.iter().all(|&y| y < 0.0));
//! ```

use super::{
    Bits, Tensor, correct, pnb, pnb_backward, popcount, popcount_backward, w_flip, x_flip, xnor_weight,
};

/// When the weights of a layer flip, compared with its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Going backward, the weights of each layer flip first; its input hears the request corrected for that.
    WeightFirst,
    /// Forward-backward-forward: the front layers flip first; the weights hear the request corrected for the new input.
    InputFirst,
    /// All requests are heard as of the first forward, without a correction.
    Parallel,
}

/// BMAB layers and a final BMA: bits of shape bdi in, standardized counts of shape bo out.
#[derive(Clone, Debug, PartialEq)]
pub struct FlipNet {
    /// At least one layer of weights, each (d, o, i) with the depth of the layer's input, or (1, o, i) for every depth.
    pub layers: Vec<Bits<3>>,
    /// The thresholds of every BMAB, (d) of them, d being the depth between the layers.
    pub thresholds: Vec<f32>,
}

/// What a step saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The output of the first forward, (b, o): the one whose gradient was asked for.
    pub logits: Tensor<f32, 2>,
    /// What each layer asked of its input, (b, d, i) for each layer, front layer first.
    pub x_flips: Vec<Bits<3>>,
}

/// The values of one forward.
struct Trace {
    /// The input of each layer, (b, d, i).
    x: Vec<Bits<3>>,
    /// The products of each layer, (b, d, o, i).
    h: Vec<Bits<4>>,
}

impl FlipNet {
    /// x: (b, d, i) -> (b, o)
    pub fn forward(&self, x: &Bits<3>) -> Tensor<f32, 2> {
        let trace = self.trace(x);
        popcount(&trace.h[self.last()])
    }

    /// One step of learning on a batch. Returns what the step saw; the net keeps what it learned.
    ///
    /// `gradient` gets the logits (b, o) of the first forward and returns the loss's gradient of the same shape.
    /// `select` is the update suppressor: for a layer's number and the flips (d, o, i) its weights voted for, it
    /// returns those to carry out. It is called once for each layer: last layer first in [`Order::WeightFirst`],
    /// front layer first otherwise.
    pub fn step(
        &mut self,
        order: Order,
        x: &Bits<3>,
        gradient: impl FnOnce(&Tensor<f32, 2>) -> Tensor<f32, 2>,
        mut select: impl FnMut(usize, Bits<3>) -> Bits<3>,
    ) -> Step {
        let old = self.trace(x);
        let logits = popcount(&old.h[self.last()]);

        // Backward, the last layer first.
        let dy = gradient(&logits);
        let mut h_flips = Vec::new();
        let mut x_flips: Vec<Bits<3>> = Vec::new();
        for layer in (0..=self.last()).rev() {
            let mut h_flip = match x_flips.last() {
                None => popcount_backward(&old.h[layer], &dy),
                Some(y_flip) => pnb_backward(&old.h[layer], &old.x[layer + 1], y_flip),
            };
            if order == Order::WeightFirst {
                self.update(layer, &h_flip, &mut select);
                let h_new = xnor_weight(&old.x[layer], &self.layers[layer]); // the new weights, the old input
                h_flip = correct(&h_flip, &old.h[layer], &h_new);
            }
            x_flips.push(x_flip(&h_flip));
            h_flips.push(h_flip);
        }
        h_flips.reverse();
        x_flips.reverse();

        match order {
            Order::WeightFirst => {}
            Order::Parallel => {
                for (layer, h_flip) in h_flips.iter().enumerate() {
                    self.update(layer, h_flip, &mut select);
                }
            }
            Order::InputFirst => {
                let mut x_new = x.clone();
                for (layer, h_flip) in h_flips.iter().enumerate() {
                    let h_new = xnor_weight(&x_new, &self.layers[layer]); // the old weights, the new input
                    self.update(layer, &correct(h_flip, &old.h[layer], &h_new), &mut select);
                    x_new = pnb(&xnor_weight(&x_new, &self.layers[layer]), &self.thresholds);
                }
            }
        }
        Step { logits, x_flips }
    }

    fn last(&self) -> usize {
        self.layers.len().checked_sub(1).expect("a net has at least one layer")
    }

    fn trace(&self, x: &Bits<3>) -> Trace {
        let mut trace = Trace { x: vec![], h: vec![] };
        let mut x = x.clone();
        for w in &self.layers {
            let h = xnor_weight(&x, w);
            let y = pnb(&h, &self.thresholds);
            trace.x.push(std::mem::replace(&mut x, y));
            trace.h.push(h);
        }
        trace
    }

    /// The weights vote, and those selected flip: `w ^= select(w_flip)`.
    fn update(&mut self, layer: usize, h_flip: &Bits<4>, select: &mut impl FnMut(usize, Bits<3>) -> Bits<3>) {
        let w = &mut self.layers[layer];
        let flips = select(layer, w_flip(h_flip, w.shape[0]));
        assert_eq!(flips.shape, w.shape, "select must keep the shape of the weights");
        w.data.iter_mut().zip(&flips.data).for_each(|(w, flip)| *w ^= flip);
    }
}
