//! How plain data is kept in the program's image and read where it stands.
//!
//! Columns of numbers are bytes, read number by number: a start copies none of them. Entries that
//! are seldom asked for are read one by one.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use once_cell::sync::OnceCell;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of a column, or a few of them.
pub(crate) trait Word: Copy {
    /// As it is kept: its bytes, little end first.
    type Bytes: Copy + std::fmt::Debug + PartialEq + 'static;
    fn put(self) -> Self::Bytes;
    fn get(bytes: Self::Bytes) -> Self;
    /// What is behind the last whole word is left out.
    fn cut(bytes: &[u8]) -> &[Self::Bytes];
    fn join(words: &[Self::Bytes]) -> &[u8];
}

/// `word!(Type, size, |value| its bytes, |bytes| value)`.
macro_rules! word {
    ($name:ty, $size:expr, $put:expr, $get:expr) => {
        impl $crate::frozen::Word for $name {
            type Bytes = [u8; $size];
            #[inline(always)]
            fn put(self) -> Self::Bytes {
                let put: fn($name) -> Self::Bytes = $put;
                put(self)
            }
            #[inline(always)]
            fn get(bytes: Self::Bytes) -> Self {
                let get: fn(Self::Bytes) -> $name = $get;
                get(bytes)
            }
            fn cut(bytes: &[u8]) -> &[Self::Bytes] {
                bytes.as_chunks().0
            }
            fn join(words: &[Self::Bytes]) -> &[u8] {
                words.as_flattened()
            }
        }
    };
}
pub(crate) use word;

word!(u8, 1, u8::to_le_bytes, u8::from_le_bytes);
word!(u16, 2, u16::to_le_bytes, u16::from_le_bytes);
word!(u32, 4, u32::to_le_bytes, u32::from_le_bytes);
word!(u64, 8, u64::to_le_bytes, u64::from_le_bytes);

/// A column of numbers. One of a pack stays where it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column<W: Word>(Cow<'static, [W::Bytes]>);

impl<W: Word> Default for Column<W> {
    fn default() -> Self {
        Column(Cow::Borrowed(&[]))
    }
}

impl<W: Word> Column<W> {
    /// All of it: for loops, which then need not ask where it stands.
    #[inline]
    pub(crate) fn words(&self) -> Words<'_, W> {
        Words(&self.0)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub(crate) fn at(&self, index: usize) -> W {
        self.words().at(index)
    }

    pub(crate) fn push(&mut self, word: W) {
        self.0.to_mut().push(word.put());
    }

    pub(crate) fn set(&mut self, index: usize, word: W) {
        self.0.to_mut()[index] = word.put();
    }

    /// Bytes of heap.
    pub(crate) fn memory_usage(&self) -> usize {
        match &self.0 {
            Cow::Borrowed(_) => 0,
            Cow::Owned(words) => size_of_val(words.as_slice()),
        }
    }
}

impl<W: Word> Extend<W> for Column<W> {
    fn extend<I: IntoIterator<Item = W>>(&mut self, words: I) {
        self.0.to_mut().extend(words.into_iter().map(W::put));
    }
}

impl<W: Word> FromIterator<W> for Column<W> {
    fn from_iter<I: IntoIterator<Item = W>>(words: I) -> Self {
        Column(words.into_iter().map(W::put).collect())
    }
}

impl<W: Word> Serialize for Column<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(W::join(&self.0))
    }
}

impl<'de: 'static, W: Word> Deserialize<'de> for Column<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Column(Cow::Borrowed(W::cut(<&'static [u8]>::deserialize(deserializer)?))))
    }
}

/// Reads a column of an entry of [`Lazy`], which may stand in memory.
pub(crate) fn copied<'de, D: Deserializer<'de>, W: Word>(
    deserializer: D,
) -> Result<Column<W>, D::Error> {
    Ok(Column(W::cut(<&[u8]>::deserialize(deserializer)?).to_vec().into()))
}

/// Some numbers of a column.
#[derive(Debug)]
pub(crate) struct Words<'c, W: Word>(&'c [W::Bytes]);

impl<W: Word> Clone for Words<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W: Word> Copy for Words<'_, W> {}

impl<W: Word> Default for Words<'_, W> {
    fn default() -> Self {
        Words(&[])
    }
}

impl<'c, W: Word> Words<'c, W> {
    #[inline]
    pub(crate) fn len(self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(crate) fn at(self, index: usize) -> W {
        W::get(self.0[index])
    }

    #[inline]
    pub(crate) fn part(self, range: Range<usize>) -> Words<'c, W> {
        Words(&self.0[range])
    }

    /// The first one, and those behind it.
    pub(crate) fn split_first(self) -> Option<(W, Words<'c, W>)> {
        self.0.split_first().map(|(&first, rest)| (W::get(first), Words(rest)))
    }

    /// The first `count`, or all of them, and those behind them.
    pub(crate) fn split_at(self, count: usize) -> (Words<'c, W>, Words<'c, W>) {
        let (first, rest) = self.0.split_at(count.min(self.0.len()));
        (Words(first), Words(rest))
    }

    /// How many there are at the beginning of which `before` holds; it holds of none behind them.
    pub(crate) fn partition_point(self, before: impl Fn(W) -> bool) -> usize {
        self.0.partition_point(|&word| before(W::get(word)))
    }
}

impl<'c, W: Word> IntoIterator for Words<'c, W> {
    type Item = W;
    type IntoIter = WordsIter<'c, W>;
    #[inline]
    fn into_iter(self) -> WordsIter<'c, W> {
        WordsIter(self.0.iter())
    }
}

/// See [`Words`].
#[derive(Clone)]
pub(crate) struct WordsIter<'c, W: Word>(std::slice::Iter<'c, W::Bytes>);

impl<W: Word> Iterator for WordsIter<'_, W> {
    type Item = W;

    #[inline]
    fn next(&mut self) -> Option<W> {
        self.0.next().map(|&word| W::get(word))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// Where an entry stands among entries of which the ends are known.
fn span(ends: &Column<u32>, index: usize) -> Range<usize> {
    let ends = ends.words();
    let start = index.checked_sub(1).map_or(0, |before| ends.at(before) as usize);
    start..ends.at(index) as usize
}

/// Many short lists in one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(serialize = "", deserialize = "'de: 'static"))]
pub(crate) struct Lists<W: Word> {
    ends: Column<u32>,
    items: Column<W>,
}

impl<W: Word> Default for Lists<W> {
    fn default() -> Self {
        Lists { ends: Column::default(), items: Column::default() }
    }
}

impl<W: Word> Lists<W> {
    pub(crate) fn push(&mut self, list: impl IntoIterator<Item = W>) {
        self.items.extend(list);
        self.ends.push(self.items.len() as u32);
    }

    pub(crate) fn get(&self, index: usize) -> Words<'_, W> {
        self.items.words().part(span(&self.ends, index))
    }
}

impl<W: Word, L: IntoIterator<Item = W>> FromIterator<L> for Lists<W> {
    fn from_iter<I: IntoIterator<Item = L>>(lists: I) -> Self {
        let mut all = Lists::default();
        lists.into_iter().for_each(|list| all.push(list));
        all
    }
}

/// Many short strings of bytes in one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub(crate) struct Strings {
    ends: Column<u32>,
    bytes: Column<u8>,
}

impl Strings {
    pub(crate) fn push(&mut self, string: &[u8]) {
        self.bytes.extend(string.iter().copied());
        self.ends.push(self.bytes.len() as u32);
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> &[u8] {
        u8::join(self.bytes.words().part(span(&self.ends, index)).0)
    }

    /// One of sorted strings; `compare` says how one stands to it.
    pub(crate) fn find(&self, compare: impl Fn(&[u8]) -> Ordering) -> Option<usize> {
        let (mut first, mut last) = (0, self.len());
        while first < last {
            let middle = first + (last - first) / 2;
            match compare(self.get(middle)) {
                Ordering::Equal => return Some(middle),
                Ordering::Less => first = middle + 1,
                Ordering::Greater => last = middle,
            }
        }
        None
    }

    /// Bytes of heap.
    pub(crate) fn memory_usage(&self) -> usize {
        self.ends.memory_usage() + self.bytes.memory_usage()
    }
}

impl<S: AsRef<[u8]>> FromIterator<S> for Strings {
    fn from_iter<I: IntoIterator<Item = S>>(strings: I) -> Self {
        let mut all = Strings::default();
        strings.into_iter().for_each(|string| all.push(string.as_ref()));
        all
    }
}

/// Entries of a [`Lazy`] list whose places are made together: a start makes none.
const GROUP: usize = 64;

type Cell<T> = OnceCell<Box<T>>;

/// Entries that are read when somebody asks for them.
#[derive(Debug, Clone)]
pub(crate) struct Lazy<T> {
    groups: Vec<OnceCell<Box<[Cell<T>]>>>,
    len: usize,
    /// Those that were put away, one by one.
    frozen: Strings,
}

impl<T> Lazy<T> {
    fn of(frozen: Strings) -> Lazy<T> {
        let len = frozen.len();
        let groups = std::iter::repeat_with(OnceCell::new).take(len.div_ceil(GROUP)).collect();
        Lazy { groups, len, frozen }
    }

    fn cell(&self, index: usize) -> &Cell<T> {
        let make = || std::iter::repeat_with(OnceCell::new).take(GROUP).collect();
        &self.groups[index / GROUP].get_or_init(make)[index % GROUP]
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, entry: T) {
        self.len += 1;
        self.groups.resize_with(self.len.div_ceil(GROUP), OnceCell::new);
        self.cell(self.len - 1).get_or_init(|| Box::new(entry));
    }
}

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Lazy::of(Strings::default())
    }
}

impl<T> From<Vec<T>> for Lazy<T> {
    fn from(list: Vec<T>) -> Self {
        let mut lazy = Lazy::default();
        list.into_iter().for_each(|entry| lazy.push(entry));
        lazy
    }
}

impl<T: DeserializeOwned> Lazy<T> {
    pub(crate) fn get(&self, index: usize) -> &T {
        self.cell(index).get_or_init(|| {
            let bytes = self.frozen.get(index);
            Box::new(postcard::from_bytes(bytes).expect("this entry was put away whole"))
        })
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &T> {
        (0..self.len).map(|index| self.get(index))
    }
}

impl<T: Serialize> Lazy<T> {
    /// A list in as few bytes as it takes, of which few entries will be asked for.
    pub(crate) fn put_away<'t>(list: impl IntoIterator<Item = &'t T>) -> Lazy<T>
    where
        T: 't,
    {
        let entry = |entry| postcard::to_stdvec(entry).expect("plain data");
        let frozen: Strings = list.into_iter().map(entry).collect();
        Lazy::of(frozen)
    }
}

impl<T: DeserializeOwned + Serialize> Serialize for Lazy<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Lazy::put_away(self.iter()).frozen.serialize(serializer)
    }
}

impl<'de: 'static, T> Deserialize<'de> for Lazy<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let frozen = Strings::deserialize(deserializer)?;
        Ok(Lazy::of(frozen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a start reads: bytes of the image, at any alignment.
    fn frozen<T: Serialize>(value: &T) -> &'static [u8] {
        let mut bytes = vec![0];
        bytes.extend(postcard::to_stdvec(value).unwrap());
        &Vec::leak(bytes)[1..]
    }

    #[test]
    fn columns_are_read_where_they_stand() {
        let column: Column<u32> = [7, 0, u32::MAX].into_iter().collect();
        let bytes = frozen(&column);
        let mut thawed: Column<u32> = postcard::from_bytes(bytes).unwrap();
        assert_eq!((thawed.memory_usage(), thawed.len()), (0, 3));
        assert_eq!(thawed.words().into_iter().collect::<Vec<_>>(), [7, 0, u32::MAX]);
        assert_eq!(thawed.words().part(1..3).at(1), u32::MAX);
        // Changed, it is one's own.
        thawed.set(1, 5);
        thawed.push(9);
        assert_eq!(thawed.words().into_iter().collect::<Vec<_>>(), [7, 5, u32::MAX, 9]);
        assert_eq!(postcard::from_bytes::<Column<u32>>(bytes).unwrap(), column);
    }

    #[test]
    fn lists_and_strings_keep_their_bounds() {
        let lists: Lists<u16> = [vec![], vec![1, 2], vec![], vec![3]].into_iter().collect();
        let thawed: Lists<u16> = postcard::from_bytes(frozen(&lists)).unwrap();
        let of = |at| thawed.get(at).into_iter().collect::<Vec<u16>>();
        assert_eq!([of(0), of(1), of(2), of(3)], [vec![], vec![1, 2], vec![], vec![3]]);

        let strings: Strings = ["", "a", "bc", "d"].into_iter().collect();
        let thawed: Strings = postcard::from_bytes(frozen(&strings)).unwrap();
        let find = |text: &str| thawed.find(|known| known.cmp(text.as_bytes()));
        assert_eq!([find(""), find("bc"), find("d")], [Some(0), Some(2), Some(3)]);
        assert_eq!([find("b"), find("e")], [None, None]);
    }

    #[test]
    fn lazy_entries_are_the_same_frozen_put_away_and_pushed() {
        let list: Vec<(u32, String)> = (0..150).map(|at| (at, format!("entry {at}"))).collect();
        let pushed = Lazy::from(list.clone());
        let put_away = Lazy::put_away(&list);
        let thawed: Lazy<(u32, String)> = postcard::from_bytes(frozen(&pushed)).unwrap();
        for lazy in [pushed, put_away, thawed] {
            assert_eq!(lazy.len(), list.len());
            assert_eq!(lazy.get(149), &list[149]);
            assert!(lazy.iter().eq(&list));
        }
    }
}
