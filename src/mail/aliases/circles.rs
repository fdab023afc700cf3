//! Circles in a graph of aliases, and chains that are longer than Postfix follows.
//!
//! A map may have millions of aliases, and most lead nowhere else: only those that lead to others, or that
//! others lead to, get a place here, and all that is kept of each are numbers of four bytes.

use std::ops::Range;

/// An alias and another one that it leads to, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    from: u32,
    /// The number times two, and whether the target is the first of the alias.
    to: u32,
}

impl Edge {
    /// `is_first`: the first target takes the place of the alias, the others are added at the end of the list
    /// (`src/cleanup/cleanup_map1n.c`). Only half as many numbers as there are can be told.
    pub(super) fn new(from: u32, to: u32, is_first: bool) -> Self {
        Self {
            from,
            to: (to << 1) | u32::from(is_first),
        }
    }

    fn to(self) -> u32 {
        self.to >> 1
    }

    fn is_first(self) -> bool {
        self.to & 1 == 1
    }
}

/// The limits of an expansion.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// `virtual_alias_recursion_limit`.
    pub(super) depth: u32,
    /// `virtual_alias_expansion_limit`.
    pub(super) size: u32,
    /// The numbers of the aliases that they are for.
    pub(super) numbers: Range<u32>,
}

/// Which aliases lead to which.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// The number of each alias that has a place, sorted.
    numbers: Vec<u32>,
    /// The places of the aliases that lead to each one.
    backward: Neighbours,
}

impl Graph {
    /// The graph of `edges`, and the numbers of the aliases on circles, with those on ways from one circle to
    /// another; and of those where an expansion that ends by itself is longer than the limits, of each chain
    /// the one nearest to the end.
    pub(super) fn of(mut edges: Vec<Edge>, limits: &Limits) -> (Self, Vec<u32>) {
        let places = Places::of(&edges);
        for edge in &mut edges {
            *edge = Edge {
                from: places.at(edge.from),
                to: (places.at(edge.to()) << 1) | u32::from(edge.is_first()),
            };
        }
        let numbers = places.numbers();
        drop(places);
        let backward = Neighbours::of(
            numbers.len(),
            edges.iter().map(|edge| (edge.to(), edge.from)),
        );
        let forward = Neighbours::of(
            numbers.len(),
            edges.iter().map(|edge| (edge.from, edge.to())),
        );
        let mut first = vec![u32::MAX; numbers.len()];
        for edge in edges.iter().filter(|edge| edge.is_first()) {
            first[edge.from as usize] = edge.to();
        }
        drop(edges);
        let found = circles(&numbers, &forward, &backward, &first, limits);
        (Self { numbers, backward }, found)
    }

    /// The numbers of the aliases that lead to one, in the order in which the edges were given.
    pub(super) fn leading_to(&self, number: u32) -> impl Iterator<Item = u32> {
        let place = self.numbers.binary_search(&number).ok();
        let before = place.map(|place| self.backward.of_place(place as u32));
        let before = before.unwrap_or_default().iter();
        before.filter_map(|&place| self.numbers.get(place as usize).copied())
    }
}

fn circles(
    numbers: &[u32],
    forward: &Neighbours,
    backward: &Neighbours,
    first: &[u32],
    limits: &Limits,
) -> Vec<u32> {
    // Whatever has no target left comes to an end. What remains leads to a circle.
    let (order, mut remains) = peel(forward, backward, &vec![true; numbers.len()]);
    let mut found = Vec::new();
    let mut depth = vec![0_u32; numbers.len()];
    let mut size = vec![1_u32; numbers.len()];
    for place in order {
        let at = place as usize;
        let targets = forward.of_place(place);
        depth[at] = match first[at] {
            u32::MAX => 1,
            next => depth[next as usize].saturating_add(1),
        };
        let sizes = targets.iter().map(|&target| size[target as usize]);
        size[at] = sizes.fold(0_u32, u32::saturating_add).max(1);
        // Only the first alias that is too far is told: what leads to it is no worse.
        let is_over = |place: usize| depth[place] >= limits.depth || size[place] > limits.size;
        if is_over(at)
            && limits.numbers.contains(&numbers[at])
            && !targets.iter().any(|&target| is_over(target as usize))
        {
            found.push(numbers[at]);
        }
    }
    // And whatever nothing leads to is not on a circle itself.
    if remains.contains(&true) {
        (_, remains) = peel(backward, forward, &remains);
    }
    let on_circles = remains.iter().zip(numbers).filter(|(remains, _)| **remains);
    found.extend(on_circles.map(|(_, &number)| number));
    found
}

/// Takes away, again and again, the places from which `forward` leads to no place that is still there: these
/// in the order in which they went, and what remains.
fn peel(forward: &Neighbours, backward: &Neighbours, present: &[bool]) -> (Vec<u32>, Vec<bool>) {
    let mut remains = present.to_vec();
    let mut degree: Vec<u32> = (0_u32..)
        .zip(present)
        .map(|(place, _)| {
            let targets = forward.of_place(place).iter();
            targets.filter(|&&target| present[target as usize]).count() as u32
        })
        .collect();
    let mut order: Vec<u32> = (0_u32..)
        .zip(present.iter().zip(&degree))
        .filter(|(_, (present, degree))| **present && **degree == 0)
        .map(|(place, _)| place)
        .collect();
    let mut at = 0;
    while let Some(&place) = order.get(at) {
        at += 1;
        remains[place as usize] = false;
        for &before in backward.of_place(place) {
            if !present[before as usize] {
                continue;
            }
            let degree = &mut degree[before as usize];
            *degree -= 1;
            if *degree == 0 {
                order.push(before);
            }
        }
    }
    (order, remains)
}

/// The neighbours of each place, one list behind the other.
#[derive(Debug, Default)]
struct Neighbours {
    starts: Vec<u32>,
    ends: Vec<u32>,
}

impl Neighbours {
    /// The lists keep the order in which the edges come.
    fn of(places: usize, edges: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0; places + 1];
        for (from, _) in edges.clone() {
            starts[from as usize + 1] += 1;
        }
        for place in 0..places {
            starts[place + 1] += starts[place];
        }
        let mut ends = vec![0; starts[places] as usize];
        for (from, to) in edges {
            let next = &mut starts[from as usize];
            ends[*next as usize] = to;
            *next += 1;
        }
        // Each start has come to the end of its list, which is the start of the next one.
        starts.copy_within(0..places, 1);
        starts[0] = 0;
        Self { starts, ends }
    }

    fn of_place(&self, place: u32) -> &[u32] {
        let place = place as usize;
        &self.ends[self.starts[place] as usize..self.starts[place + 1] as usize]
    }
}

/// Which numbers occur, and their order.
struct Places {
    /// A bit for each number.
    bits: Vec<u64>,
    /// How many numbers lie in front of each word of them.
    before: Vec<u32>,
}

impl Places {
    fn of(edges: &[Edge]) -> Self {
        let largest = edges.iter().map(|edge| edge.from.max(edge.to())).max();
        let words = largest.map_or(0, |largest| largest as usize / 64 + 1);
        let mut bits = vec![0_u64; words];
        for number in edges.iter().flat_map(|edge| [edge.from, edge.to()]) {
            bits[number as usize / 64] |= 1 << (number % 64);
        }
        let mut count = 0;
        let before = bits.iter().map(|word| {
            let before = count;
            count += word.count_ones();
            before
        });
        let before = before.collect();
        Self { bits, before }
    }

    fn at(&self, number: u32) -> u32 {
        let word = number as usize / 64;
        let lower = self.bits[word] & ((1 << (number % 64)) - 1);
        self.before[word] + lower.count_ones()
    }

    fn numbers(&self) -> Vec<u32> {
        let words = (0_u32..).zip(&self.bits);
        let numbers = words.flat_map(|(at, &word)| {
            (0..64)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| at * 64 + bit)
        });
        numbers.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(u32, u32)], depth: u32, size: u32) -> (Graph, Vec<u32>) {
        let edges = edges.iter().map(|&(from, to)| Edge::new(from, to, true));
        let limits = Limits {
            depth,
            size,
            numbers: 0..u32::MAX,
        };
        let (graph, mut found) = Graph::of(edges.collect(), &limits);
        found.sort_unstable();
        (graph, found)
    }

    fn found(edges: &[(u32, u32)], depth: u32, size: u32) -> Vec<u32> {
        graph(edges, depth, size).1
    }

    #[test]
    fn circles_are_found_and_what_leads_there_is_not() {
        assert_eq!(
            found(&[(1, 2), (2, 300), (300, 2), (300, 4)], 1000, 1000),
            [2, 300]
        );
        assert!(found(&[(1, 2), (2, 3), (3, 4)], 1000, 1000).is_empty());
        assert!(found(&[], 1000, 1000).is_empty());
    }

    #[test]
    fn chains_are_too_long_where_postfix_gives_up() {
        assert_eq!(found(&[(1, 2), (2, 3)], 3, 1000), [1]);
        assert_eq!(found(&[(0, 1), (1, 2), (2, 3)], 3, 1000), [1]);
        assert_eq!(found(&[(1, 2), (1, 3), (1, 4)], 9, 2), [1]);
    }

    #[test]
    fn what_leads_to_an_alias_comes_in_the_order_of_the_edges() {
        let (graph, _) = graph(&[(9, 100), (70, 100), (3, 100), (3, 9)], 9, 9);
        let before: Vec<u32> = graph.leading_to(100).collect();
        assert_eq!(before, [9, 70, 3]);
        assert_eq!(graph.leading_to(70).count(), 0);
        assert_eq!(graph.leading_to(8).count(), 0);
    }
}
