//! Circles in a graph of aliases, and chains that are longer than Postfix follows.

use super::Node;

/// An alias and another one that it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: Node,
    pub(super) to: Node,
    /// The first target takes the place of the alias, the others are added at the end of the list
    /// (`src/cleanup/cleanup_map1n.c`).
    pub(super) is_first: bool,
}

/// The limits of an expansion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// `virtual_alias_recursion_limit`.
    pub(super) depth: usize,
    /// `virtual_alias_expansion_limit`.
    pub(super) size: usize,
}

/// The nodes on circles, with those on ways from one circle to another; and the nodes where an expansion
/// that ends by itself is longer than the limits, of each chain the one nearest to the end.
pub(super) fn circles(edges: &[Edge], limits: Limits) -> Vec<Node> {
    let mut nodes: Vec<Node> = edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let index = |node: Node| nodes.binary_search(&node).unwrap_or_default();
    let forward = Neighbours::of(
        nodes.len(),
        edges.iter().map(|edge| (index(edge.from), index(edge.to))),
    );
    let backward = Neighbours::of(
        nodes.len(),
        edges.iter().map(|edge| (index(edge.to), index(edge.from))),
    );
    let mut first: Vec<usize> = vec![usize::MAX; nodes.len()];
    for edge in edges.iter().filter(|edge| edge.is_first) {
        first[index(edge.from)] = index(edge.to);
    }

    // Whatever has no target left comes to an end. What remains leads to a circle.
    let (order, mut remains) = peel(&forward, &backward, &vec![true; nodes.len()]);
    let mut found = Vec::new();
    let mut depth = vec![0_usize; nodes.len()];
    let mut size = vec![1_usize; nodes.len()];
    for node in order {
        let targets = forward.of_node(node);
        depth[node] = match first[node] {
            usize::MAX => 1,
            next => depth[next].saturating_add(1),
        };
        size[node] = targets
            .iter()
            .fold(0_usize, |sum, &target| sum.saturating_add(size[target]))
            .max(1);
        // Only the first node that is too far is told: what leads to it is no worse.
        let is_over = |node: usize| depth[node] >= limits.depth || size[node] > limits.size;
        if is_over(node) && !targets.iter().any(|&target| is_over(target)) {
            found.push(nodes[node]);
        }
    }
    // And whatever nothing leads to is not on a circle itself.
    (_, remains) = peel(&backward, &forward, &remains);
    found.extend(
        (0..nodes.len())
            .filter(|&node| remains[node])
            .map(|node| nodes[node]),
    );
    found.sort_unstable();
    found
}

/// Takes away, again and again, the nodes from which `forward` leads to no node that is still there: these
/// in the order in which they went, and what remains.
fn peel(forward: &Neighbours, backward: &Neighbours, present: &[bool]) -> (Vec<usize>, Vec<bool>) {
    let mut remains = present.to_vec();
    let mut degree: Vec<usize> = (0..present.len())
        .map(|node| {
            let targets = forward.of_node(node).iter();
            targets.filter(|&&target| present[target]).count()
        })
        .collect();
    let mut order: Vec<usize> = (0..present.len())
        .filter(|&node| present[node] && degree[node] == 0)
        .collect();
    let mut at = 0;
    while let Some(&node) = order.get(at) {
        at += 1;
        remains[node] = false;
        for &before in backward.of_node(node) {
            if !present[before] {
                continue;
            }
            degree[before] -= 1;
            if degree[before] == 0 {
                order.push(before);
            }
        }
    }
    (order, remains)
}

/// The neighbours of each node, one list behind the other.
struct Neighbours {
    starts: Vec<usize>,
    ends: Vec<usize>,
}

impl Neighbours {
    fn of(nodes: usize, edges: impl Iterator<Item = (usize, usize)> + Clone) -> Self {
        let mut starts = vec![0; nodes + 1];
        for (from, _) in edges.clone() {
            starts[from + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut ends = vec![0; starts[nodes]];
        for (from, to) in edges {
            ends[next[from]] = to;
            next[from] += 1;
        }
        Self { starts, ends }
    }

    fn of_node(&self, node: usize) -> &[usize] {
        &self.ends[self.starts[node]..self.starts[node + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(edges: &[(u64, u64)], limits: Limits) -> Vec<u64> {
        let mut edges: Vec<Edge> = edges
            .iter()
            .map(|&(from, to)| Edge {
                from: Node(from),
                to: Node(to),
                is_first: true,
            })
            .collect();
        edges.sort_unstable();
        circles(&edges, limits)
            .into_iter()
            .map(|node| node.0)
            .collect()
    }

    const WIDE: Limits = Limits {
        depth: 1000,
        size: 1000,
    };

    #[test]
    fn circles_are_found_and_what_leads_there_is_not() {
        assert_eq!(found(&[(1, 2), (2, 3), (3, 2), (3, 4)], WIDE), [2, 3]);
        assert!(found(&[(1, 2), (2, 3), (3, 4)], WIDE).is_empty());
        assert!(found(&[], WIDE).is_empty());
    }

    #[test]
    fn chains_are_too_long_where_postfix_gives_up() {
        let limits = Limits {
            depth: 3,
            size: 1000,
        };
        assert_eq!(found(&[(1, 2), (2, 3)], limits), [1]);
        assert_eq!(found(&[(0, 1), (1, 2), (2, 3)], limits), [1]);
        let limits = Limits { depth: 9, size: 2 };
        assert_eq!(found(&[(1, 2), (1, 3), (1, 4)], limits), [1]);
    }
}
