//! What the files of several families have in common.

pub mod auto;
pub mod ip;
pub mod prefix_list;
pub mod reasons;
pub mod route_map;
pub mod sent;
pub mod sequence;
pub mod sessions;
pub mod shards;
pub mod sros_policy;
pub mod statements;
pub mod text;
pub mod to_unconfigure;
