/// Something that the source says outside of any function: debug information has no line for it, but whoever has the
/// source may find it there.
package enum Declaration: Hashable, Sendable {
    /// What an operations table is given for a member, such as `timeout_ms`; `table` is the variable's name.
    case member(String, table: String)
    /// An attribute of a map, such as `pinning`; where the map has no such line, the map.
    case attribute(String, map: String)
    case map(String)
}
